#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <vector>

#include "core/journal/journal.hpp"
#include "core/journal/record.hpp"
#include "core/lane/gate.hpp"
#include "core/lane/table.hpp"
#include "core/project/state.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/process.hpp"
#include "multicall/context/index_lock.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/file_system.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/lane_view.hpp"
#include "shims/tables.hpp"

namespace onelane::multicall::doctor {
namespace {

/// A hold that made a call wait longer than this has probably been forgotten.
constexpr std::chrono::minutes kLongHold{10};

void tell_stopped(const std::string& what, pid_t pid, Findings& out) {
  out.wrong({.what = fmt::format("{} is stopped (pid {}), and all other calls wait", what, pid),
             .todo = "continue it (`fg` in its terminal), or end it (`onelane stop`)",
             .command = fmt::format("kill -CONT {}", pid)});
}

void look_at_tickets(const LaneView& view, Findings& out) {
  if (view.holder && sys::is_stopped(view.holder->supervisor)) {
    // The whole job is stopped, as by Ctrl-Z; continuing onelane continues the tool.
    tell_stopped("the holder, " + view.holder->command + ",", view.holder->supervisor.pid, out);
  } else if (view.holder && view.holder->is_stopped) {
    tell_stopped("the tool of the holder, " + view.holder->command + ",",
                 view.holder->tool_process.pid, out);
  }
  std::chrono::nanoseconds longest{};
  for (const TicketView& ticket : view.queue) {
    longest = std::max(longest, ticket.waited);
    if (ticket.state == lane::State::Granted && ticket.is_stopped) {
      tell_stopped("the call whose turn it is, " + ticket.command + ",", ticket.supervisor.pid,
                   out);
    }
  }
  if (view.is_on_hold && longest >= kLongHold) {
    out.wrong({.what = "the lane is on hold, and a call has waited for " + duration_words(longest),
               .todo = "release it",
               .command = "onelane release"});
  } else if (view.is_on_hold) {
    out.note({.what = "the lane is on hold: nothing starts",
              .todo = "release it when that is over",
              .command = "onelane release"});
  }
}

/// True if the header of the file is not one that a run writes. Reads again in case it met a
/// writer; a file that was never written to is empty.
bool is_head_damaged(const lane::Table& table) {
  struct stat info {};
  for (int look = 0; look < 100; ++look) {
    if ((::fstat(table.fd(), &info) == 0 && info.st_size == 0) || table.header().checksum != 0) {
      return false;
    }
  }
  return true;
}

/// Reports something other than a regular file under a file's name: no call can open it, so all of
/// them run without the lane.
bool tell_odd(const std::string& path, const std::string& name, Findings& out) {
  const std::string kind{odd_kind(path)};
  if (!kind.empty()) {
    out.wrong({.what = "the " + name + " is " + kind + ", and no call can use that",
               .where = path,
               .todo = "see who put it there, then remove it",
               .command = (kind == "a directory" ? "rmdir " : "rm ") + shell_word(path)});
  }
  return !kind.empty();
}

void look_at_table(const lane::Table& table, Findings& out) {
  const LaneView view = view_of(table, nullptr);
  if (view.is_torn || is_head_damaged(table)) {
    out.wrong({.what = "the lane file is damaged: new calls do not see those that wait in it",
               .where = table.path(),
               .todo = "when nothing runs or waits here, remove it; the next run makes a new one",
               .command = "rm " + shell_word(table.path())});
  }
  look_at_tickets(view, out);
}

/// The state directory; if it does not exist yet (a linked work tree before its first run), the one
/// above.
std::string existing(std::string path) {
  while (path.size() > 1 && ::access(path.c_str(), F_OK) != 0) {
    path.erase(std::max<std::size_t>(path.rfind('/'), 1));
  }
  return path;
}

/// Slower than this, the locks delay every call noticeably.
constexpr long kSlowMicroseconds = 100'000;

void tell_trial(const LockTrial& trial, const std::string& where, Findings& out) {
  const std::string took =
      fmt::format("{}.{} ms", trial.microseconds / 1000, trial.microseconds / 100 % 10);
  const std::string todo =
      "set SEQUENTIAL_LOCK_BASE_DIR in onelane.toml to a directory on a local disk";
  switch (trial.result) {
    case LockTrial::Result::Works:
      if (trial.microseconds > kSlowMicroseconds) {
        out.note({.what = "locks work, but took " + took, .where = where, .todo = todo});
      } else {
        out.ok("locks work in " + where + " (" + took + ")");
      }
      return;
    case LockTrial::Result::NotExclusive:
      out.wrong(
          {.what = "a lock does not keep other processes out here", .where = where, .todo = todo});
      return;
    case LockTrial::Result::NotFreed:
      out.wrong({.what = "a lock stays after its holder was killed", .where = where, .todo = todo});
      return;
    case LockTrial::Result::NoAnswer:
      out.wrong({.what = "a request for a lock was not answered within 2 s",
                 .where = where,
                 .todo = todo});
      return;
  }
}

/// The last part of the journal, from the beginning of a line.
std::string journal_tail(const std::string& path, bool& is_whole) {
  constexpr off_t kMost = off_t{4} << 20;
  const auto file = sys::try_open_file(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  struct stat info {};
  if (!file.is_open() || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return {};
  }
  is_whole = info.st_size <= kMost;
  if (!is_whole) {
    (void)::lseek(file.get(), -kMost, SEEK_END);
  }
  std::string text(static_cast<std::size_t>(std::min(info.st_size, kMost)), '\0');
  const long got = sys::read_up_to(file.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max(got, 0L)));
  return is_whole ? text : text.substr(std::min(text.find('\n'), text.size()));
}

namespace fs = std::filesystem;

/// The processes that may own the lock.
struct Suspects {
  std::vector<sys::ProcessStat> here;  ///< Git processes below the project.
  std::size_t hidden = 0;              ///< Git processes that we may not look into.
};

Suspects suspects_below(const std::string& root, const std::string& git_dir) {
  Suspects found;
  for (const pid_t pid : sys::all_pids()) {
    const auto stat = sys::read_stat(pid);
    if (!stat || std::string_view{stat->name.data()} != "git") {
      continue;
    }
    std::error_code error;
    const auto directory = fs::read_symlink(fmt::format("/proc/{}/cwd", pid), error);
    const std::string text = directory.string() + "/";
    if (error) {
      ++found.hidden;
    } else if (text.starts_with(root + "/") || text.starts_with(git_dir + "/")) {
      found.here.push_back(*stat);
    }
  }
  return found;
}

std::string age_of(const struct stat& lock) {
  const std::time_t age = std::max<std::time_t>(::time(nullptr) - lock.st_mtime, 0);
  return duration_words(std::chrono::seconds{age});
}

}  // namespace

void look_at_lane(const Scene& scene, Findings& out) {
  const LanesHere lanes = lanes_of(scene.placed, scene.loaded.settings);
  for (const lane::Table& table : lanes.tables) {
    look_at_table(table, out);
  }
  bool is_odd = false;
  for (const char* name : {"/lane", "/git/lane"}) {
    is_odd = tell_odd(scene.placed.state_dir + name, "lane file", out) || is_odd;
  }
  if (lanes.unreadable && !is_odd) {
    out.wrong({.what = "the lane file cannot be opened: " + lanes.unreadable->code().message(),
               .where = scene.placed.state_dir,
               .todo = "only its owner can open another user's lane"});
  }
  if (out.empty()) {
    out.ok(lanes.tables.empty() ? "no run has been here yet" : "nothing blocks it");
  }
}

void look_at_gate(const Scene& scene, Findings& out) {
  for (const char* name : {"/gate", "/git/gate"}) {
    const std::string path = scene.placed.state_dir + name;
    if (tell_odd(path, "gate", out)) {
      continue;
    }
    const std::string lane = path.substr(0, path.size() - std::string_view{"gate"}.size()) + "lane";
    const auto table = lane::Table::open_existing(lane);
    const auto holder = table ? lane::find_gate_holder(*table) : std::nullopt;
    if (!holder) {
      continue;
    }
    out.wrong({.what = "the gate is held by " + words_of(*holder) + ": no call can queue or start",
               .where = path,
               .todo = holder->is_stopped  ? "continue it"
                       : holder->is_frozen ? "thaw its container"
                                           : "see what it waits for",
               .command =
                   holder->is_stopped ? fmt::format("kill -CONT {}", holder->pid) : std::string{}});
  }
  if (out.empty()) {
    out.ok("free");
  }
}

void look_at_file_system(const Scene& scene, Findings& out) {
  const std::string where = existing(scene.placed.state_dir);
  struct statfs info {};
  if (::statfs(where.c_str(), &info) != 0) {
    sys::throw_errno("ask for the file system of", where);
  }
  const FileSystem system = file_system_of(static_cast<long>(info.f_type));
  if (system.place != Place::Local) {
    out.note({.what = "the lane is on " + std::string{system.name} + ": " +
                      std::string{meaning_of(system.place)},
              .where = where,
              .todo = "use it on one machine, and on one side of a container, or set "
                      "SEQUENTIAL_LOCK_BASE_DIR"});
  }
  try {
    tell_trial(try_locks(where), where, out);
  } catch (const sys::SystemError& failure) {
    out.wrong({.what = "no lock can be tried: " + std::string{failure.what()},
               .todo = "calls run without the lane until that works"});
  }
}

void look_at_space(const Scene& scene, Findings& out) {
  const std::string where = existing(scene.placed.state_dir);
  struct statvfs info {};
  if (::statvfs(where.c_str(), &info) != 0) {
    sys::throw_errno("ask for the free space in", where);
  }
  const unsigned long long bytes = static_cast<unsigned long long>(info.f_bavail) *
                                   static_cast<unsigned long long>(info.f_frsize);
  const std::string left = fmt::format("{} MB and {} files are left", bytes >> 20U, info.f_favail);
  switch (room_of(bytes, info.f_favail, info.f_files)) {
    case Room::Enough:
      out.ok("there is enough space");
      return;
    case Room::Little:
      out.note({.what = "little space: " + left, .where = where, .todo = "free some space"});
      return;
    case Room::None:
      out.wrong({.what = "no space: " + left + "; records of runs are lost",
                 .where = where,
                 .todo = "free some space"});
      return;
  }
}

void look_at_journal(const Scene& scene, Findings& out) {
  const std::string path = scene.placed.state_dir + "/" + journal::kJournalName;
  if (const auto file = journal::unreadable(scene.placed.state_dir)) {
    const std::string kind{odd_kind(file->path)};
    const std::string why =
        kind.empty() ? std::generic_category().message(file->error) : "it is " + kind;
    out.wrong({.what = "the journal cannot be read: " + why,
               .where = file->path,
               .todo = kind.empty() ? "only its owner can read another user's journal"
                                    : "see who put it there, then remove it"});
    return;
  }
  bool is_whole = true;
  const std::string text = journal_tail(path, is_whole);
  std::size_t readable = 0;
  std::size_t unreadable = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) {
      ++(journal::parse(std::string_view{text}.substr(at, end - at)) ? readable : unreadable);
    }
    at = end + 1;
  }
  if (unreadable == 0) {
    out.ok(fmt::format("{} {} can be read", readable, is_whole ? "runs" : "newest runs"));
    return;
  }
  out.note(
      {.what = fmt::format("{} of {} lines cannot be read (a writer was killed, or the disk was "
                           "full)",
                           unreadable, readable + unreadable),
       .where = path,
       .todo = "nothing: they are left out"});
}

void look_at_index_lock(const Scene& scene, Findings& out) {
  const std::string& git_dir = scene.project->git_dir;
  const std::string path = git_dir + "/" + std::string{shims::index_lock_name()};
  struct stat lock {};
  if (git_dir.empty() || ::lstat(path.c_str(), &lock) != 0) {
    out.ok("no index.lock");
    return;
  }
  const std::string since = "for " + age_of(lock);
  const Suspects suspects = suspects_below(scene.project->root, git_dir);
  if (const auto owner = find_index_lock_owner(git_dir, suspects.here)) {
    out.note({.what = fmt::format("{} (pid {}) works on the index, {}", owner->command, owner->pid,
                                  since),
              .where = path,
              .todo = "wait for it"});
  } else if (!suspects.here.empty()) {
    out.note({.what = fmt::format("index.lock is there {}; {} git processes are at work here",
                                  since, suspects.here.size()),
              .where = path,
              .todo = "wait for them"});
  } else if (suspects.hidden > 0) {
    out.note({.what = "index.lock is there " + since + "; its owner may be another user's git",
              .where = path,
              .todo = "ask that user before you remove it"});
  } else {
    out.wrong({.what = "index.lock is there " + since +
                       ", and no git is at work here: left by one "
                       "that was killed",
               .where = path,
               .todo = "make sure that no git works here from another machine or container, then "
                       "remove it",
               .command = "rm " + shell_word(path)});
  }
}

}  // namespace onelane::multicall::doctor
