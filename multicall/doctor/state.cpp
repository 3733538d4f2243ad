#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "core/journal/journal.hpp"
#include "core/journal/record.hpp"
#include "core/project/state.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/doctor/file_system.hpp"

namespace onelane::multicall::doctor {
namespace {

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
  const std::string took = std::to_string(trial.microseconds / 1000) + "." +
                           std::to_string(trial.microseconds / 100 % 10) + " ms";
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

}  // namespace

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
              .todo = "keep to one machine and one side of it, or set SEQUENTIAL_LOCK_BASE_DIR"});
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
    sys::throw_errno("ask for the room in", where);
  }
  const unsigned long long bytes = static_cast<unsigned long long>(info.f_bavail) *
                                   static_cast<unsigned long long>(info.f_frsize);
  const std::string left =
      std::to_string(bytes >> 20U) + " MB and " + std::to_string(info.f_favail) + " files are left";
  switch (room_of(bytes, info.f_favail, info.f_files)) {
    case Room::Enough:
      out.ok("there is room");
      return;
    case Room::Little:
      out.note({.what = "little room: " + left, .where = where, .todo = "make room"});
      return;
    case Room::None:
      out.wrong({.what = "no room: " + left + "; records of runs are lost",
                 .where = where,
                 .todo = "make room"});
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
    out.ok(std::to_string(readable) + (is_whole ? " runs" : " newest runs") + " can be read");
    return;
  }
  out.note({.what = std::to_string(unreadable) + " of " + std::to_string(readable + unreadable) +
                    " lines cannot be read (a writer was killed, or the disk was full)",
            .where = path,
            .todo = "nothing: they are left out"});
}

}  // namespace onelane::multicall::doctor
