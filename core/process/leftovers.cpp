#include "core/process/leftovers.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <unordered_map>

#include "core/sys/run_id.hpp"

namespace onelane::process {
namespace {

bool is_null_device(const struct stat& info) noexcept {
  return S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3);
}

/// A thread of `stat` that still has the process's files and memory: the first, unless it has
/// ended.
std::optional<sys::ProcessStat> living_thread_of(const sys::ProcessStat& stat) {
  if (stat.state != 'Z' && stat.state != 'X') {
    return stat;
  }
  const std::string tasks = "/proc/" + std::to_string(stat.id.pid) + "/task";
  std::error_code error;
  for (std::filesystem::directory_iterator at{tasks, error}, end; !error && at != end;
       at.increment(error)) {
    const auto other = sys::read_stat(std::atoi(at->path().filename().c_str()));
    if (other && other->state != 'Z' && other->state != 'X') {
      return other;
    }
  }
  return std::nullopt;
}

/// True when descriptor `number` of `pid` ties it to the run: it is a pipe, socket or terminal, or
/// one of the files that the run itself had as its stdio.
bool is_tied(pid_t pid, int number, const RunTraits& traits) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, number);
  struct stat info {};
  if (::stat(path, &info) != 0) {
    return errno != ENOENT;  // a closed descriptor is no tie; an unreadable one counts as tied
  }
  if (is_null_device(info)) {
    return false;
  }
  // A file without a name is a scratch file: no user could read a daemon's output there (pytest
  // captures its workers' output like that).
  if (!S_ISREG(info.st_mode) || info.st_nlink == 0) {
    return true;
  }
  return std::ranges::any_of(traits.stdio, [&](const RunTraits::File& file) {
    return file.inode == info.st_ino && file.device == info.st_dev;
  });
}

bool ignores_hangup(pid_t pid) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/status", pid);
  const auto text = sys::read_small_file(path, 16384);
  const std::size_t at = text ? text->find("\nSigIgn:") : std::string::npos;
  return at != std::string::npos &&
         (std::strtoull(text->c_str() + at + 8, nullptr, 16) >> (SIGHUP - 1) & 1U) != 0;
}

/// A program with a window: it has a display and has loaded a library that talks to one. (Which
/// socket leads to the display server cannot be found out without netlink.)
bool has_display(pid_t pid) {
  if (!sys::initial_environment(pid, "DISPLAY") &&
      !sys::initial_environment(pid, "WAYLAND_DISPLAY")) {
    return false;
  }
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/maps", pid);
  const auto maps = sys::read_small_file(path, std::size_t{8} << 20U);
  return maps && (maps->find("/libxcb.so") != std::string::npos ||
                  maps->find("/libwayland-client.so") != std::string::npos);
}

bool is_listed(const sys::ProcessStat& stat, const KeepList& keep) {
  if (!keep) {
    return false;
  }
  const std::vector<std::string> words = sys::arguments(stat.id.pid);
  std::vector<std::string_view> views{words.begin(), words.end()};
  const std::string_view first = views.empty() ? std::string_view{} : views.front();
  // A program that rewrites its title ("ssh: /path [mux]") has a space before any slash.
  const bool is_title = first.find(' ') < first.find('/');
  const std::string_view base = is_title ? first : first.substr(first.rfind('/') + 1);
  const auto after = std::span{views}.subspan(views.empty() ? 0 : 1);
  return keep(stat.name.data(), after) || (!base.empty() && keep(base, after));
}

/// When the caller has no stdio, every process below it inherits none. That does not show that a
/// process was left running on purpose, and one that the run had in the foreground was not.
bool may_have_inherited_nothing(pid_t pid, const sys::ProcessStat& stat, const RunTraits& traits) {
  const auto is_none = [](const RunTraits::File& file) { return file.inode == 0; };
  if (stat.session != traits.session || !std::ranges::all_of(traits.stdio, is_none)) {
    return false;
  }
  for (int number = 0; number < 3; ++number) {
    const std::string path = "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(number);
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0 && !is_null_device(info)) {
      return false;  // a log of its own
    }
  }
  return true;
}

}  // namespace

RunTraits traits_of_self(const Signals& signals) noexcept {
  RunTraits traits;
  for (int fd = 0; fd < 3; ++fd) {
    struct stat info {};
    // /dev/null is no tie to a run, so it must not become one by being the caller's stdio.
    if (::fstat(fd, &info) == 0 && !is_null_device(info)) {
      traits.stdio[static_cast<std::size_t>(fd)] = {info.st_dev, info.st_ino};
    }
  }
  traits.session = ::getsid(0);
  traits.ignored_hangup = signals.is_ignored(SIGHUP) ? 1 : 0;
  return traits;
}

Leftover sort_leftover(const sys::ProcessStat& seen, const RunTraits& traits,
                       const KeepList& keep) {
  const auto now = sys::read_stat(seen.id.pid);
  if (!now || now->id != seen.id || now->has_ended()) {
    return Leftover::Gone;
  }
  const pid_t pid = now->id.pid;
  if (is_listed(*now, keep)) {
    return Leftover::Listed;
  }
  if (now->session != traits.session && now->tty != 0) {
    return Leftover::Elsewhere;
  }
  const auto living = living_thread_of(*now);
  if (!living || living->is_exiting) {
    return Leftover::Straggler;  // it is exiting
  }
  const pid_t thread = living->id.pid;
  const bool tied = is_tied(thread, 0, traits) || is_tied(thread, 1, traits) ||
                    is_tied(thread, 2, traits) ||
                    (traits.was_cut_short != 0 && may_have_inherited_nothing(thread, *now, traits));
  const bool means_it = (traits.ignored_hangup == 0 && ignores_hangup(pid)) || has_display(pid);
  if (tied && !means_it) {
    return Leftover::Straggler;
  }
  return now->session != traits.session ? Leftover::Detached
         : means_it                     ? Leftover::Background
                                        : Leftover::Loose;
}

namespace {

/// One scan for the members of a run.
class MemberScan {
 public:
  MemberScan(const Search& search, const RunTraits& traits, const KeepList& keep)
      : search_{search},
        traits_{traits},
        keep_{keep},
        judge_{search.rules},
        boot_{static_cast<std::uint32_t>(sys::boot_id())} {
    for (const pid_t pid : sys::all_pids()) {
      if (auto stat = sys::read_stat(pid)) {
        all_.emplace(pid, *stat);
      }
    }
  }

  std::vector<sys::ProcessStat> run() {
    std::vector<sys::ProcessStat> out;
    for (const auto& [pid, stat] : all_) {
      if (!stat.has_ended() && look(pid, 0).mark == Mark::Member) {
        out.push_back(stat);
      }
    }
    return out;
  }
  /// The kept processes that run() has found.
  [[nodiscard]] const std::vector<KeptProcess>& kept() const noexcept { return kept_; }

 private:
  enum class Mark { Member, Kept, Foreign };
  struct Looked {
    Mark mark = Mark::Foreign;
    sys::ProcessId root;  ///< For a member: itself, or the ancestor that makes it one.
  };

  /// A candidate is sorted by itself; any other process is what its parent is.
  Looked look(pid_t pid, int depth) {
    const auto it = all_.find(pid);
    if (it == all_.end() || depth > 64) {
      return {};
    }
    const sys::ProcessStat& stat = it->second;
    if (std::ranges::find(search_.known, stat.id) != search_.known.end()) {
      return {};
    }
    if (const auto done = looked_.find(pid); done != looked_.end()) {
      return done->second;
    }
    Looked result = look(stat.parent, depth + 1);
    if (result.mark != Mark::Kept) {
      result = sort(stat, result);
    }
    return looked_[pid] = result;
  }

  Looked sort(const sys::ProcessStat& stat, const Looked& above) {
    Target target;
    target.id = stat.id;
    target.boot = boot_;
    target.run_id = search_.run_id;
    target.uid = search_.uid;
    if (above.mark == Mark::Member) {
      target.as = Target::As::Below;
      target.root = above.root;
    } else if (std::ranges::find(search_.published, stat.id) != search_.published.end()) {
      target.as = Target::As::Named;
    } else if (!is_marked(stat.id.pid)) {
      return {};
    }
    const Looked member{Mark::Member, above.mark == Mark::Member ? above.root : stat.id};
    const Leftover sorted = sort_leftover(stat, traits_, keep_);
    const Spared spared = judge_.judge(target);
    if (is_spared(sorted, Occasion::RunEnd)) {
      if (spared == Spared::No) {
        kept_.push_back({stat.id, sys::command_line(stat.id.pid, 80), sorted});
      }
      return {Mark::Kept, {}};
    }
    switch (spared) {
      case Spared::No:
        return member;
      case Spared::OtherUser:
        return {};  // a process below may be the right user's
      default:
        return {Mark::Kept, {}};
    }
  }

  [[nodiscard]] bool is_marked(pid_t pid) const {
    const auto held = sys::initial_environment(pid, "ONELANE_HELD");
    return held && sys::names_run(*held, search_.run_id);
  }

  const Search& search_;
  const RunTraits& traits_;
  const KeepList& keep_;
  SignalJudge judge_;
  const std::uint32_t boot_;
  std::unordered_map<pid_t, sys::ProcessStat> all_;
  std::unordered_map<pid_t, Looked> looked_;
  std::vector<KeptProcess> kept_;
};

}  // namespace

std::vector<sys::ProcessStat> find_members(const Search& search, const RunTraits& traits,
                                           const KeepList& keep) {
  // A run without the lane has no id: its members are those that were published.
  return MemberScan{search, traits, keep}.run();
}

std::vector<KeptProcess> find_kept(const Search& search, const RunTraits& traits,
                                   const KeepList& keep) {
  MemberScan scan{search, traits, keep};
  (void)scan.run();
  return scan.kept();
}

}  // namespace onelane::process
