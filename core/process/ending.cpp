#include "core/process/ending.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <unordered_set>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::process {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kPatience{10};  ///< For processes that KILL does not end.
constexpr std::chrono::seconds kLongest{60};   ///< For all processes, when they keep forking.
constexpr milliseconds kStopping{3'000};       ///< At most, before each round of KILL.

/// Frees the memory of a dying process that gets no processor to do it itself (process_mrelease(2),
/// Linux 5.15).
void release_memory(const sys::ProcessId& id) noexcept {
#ifdef SYS_process_mrelease
  const sys::FileDescriptor fd{static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0))};
  if (fd.is_open() && sys::exists(id)) {
    ::syscall(SYS_process_mrelease, fd.get(), 0U);
  }
#else
  (void)id;
#endif
}

/// Stops all members before the first is killed: stopped processes do not fork, whereas a slot that
/// a dead one frees is taken at once. Scans without a pause until no new member is found.
std::vector<sys::ProcessStat> stop_all(const Ending& ending,
                                       std::vector<sys::ProcessStat> members) {
  std::unordered_set<pid_t> stopped;
  const auto until = sys::monotonic_time() + kStopping;
  for (bool news = true; news && sys::monotonic_time() < until; members = ending.members()) {
    (void)ending.wait(milliseconds{0});  // reaps: thousands of zombies would slow every scan
    news = false;
    for (const auto& member : members) {
      if (stopped.insert(member.id.pid).second) {
        news = true;
        (void)send_signal(member.id, SIGSTOP);
      }
    }
  }
  return members;
}

/// Sends KILL, round after round, as long as that makes progress.
class KillPhase {
 public:
  explicit KillPhase(std::chrono::nanoseconds now) : began_{now}, progress_{now} {}

  /// False once the same few processes have survived KILL for long: stuck in the kernel, or another
  /// user's.
  bool is_worth_it(const std::vector<sys::ProcessStat>& left, std::chrono::nanoseconds now) {
    bool news = left.size() < fewest_;
    fewest_ = std::min(fewest_, left.size());
    for (const auto& member : left) {
      news = seen_.insert(member.id.pid).second || news;
    }
    progress_ = news ? now : progress_;
    return now < progress_ + kPatience && now < began_ + kLongest;
  }

  void round(const Ending& ending, const std::vector<sys::ProcessStat>& found) {
    const auto members = stop_all(ending, found);
    for (const auto& member : members) {
      (void)send_signal(member.id, SIGKILL);
    }
    if (++rounds_ > 2) {
      std::ranges::for_each(members, [](const auto& member) { release_memory(member.id); });
    }
  }

 private:
  std::chrono::nanoseconds began_;
  std::chrono::nanoseconds progress_;
  std::size_t fewest_ = static_cast<std::size_t>(-1);
  std::unordered_set<pid_t> seen_;
  int rounds_ = 0;
};

/// Sends TERM to every member not signalled yet, and CONT, because a stopped one would never act on
/// TERM.
void terminate_new(const std::vector<sys::ProcessStat>& members,
                   std::vector<sys::ProcessId>& signalled) {
  for (const auto& member : members) {
    if (std::ranges::find(signalled, member.id) == signalled.end()) {
      signalled.push_back(member.id);
      (void)send_signal(member.id, SIGTERM);
      (void)send_signal(member.id, SIGCONT);
    }
  }
}

}  // namespace

bool send_signal(const sys::ProcessId& id, int signal) noexcept {
  const sys::FileDescriptor fd{static_cast<int>(::syscall(SYS_pidfd_open, id.pid, 0))};
  if (!fd.is_open()) {
    // An old seccomp filter may refuse pidfds: then only the check below is possible.
    return (errno == ENOSYS || errno == EPERM) && sys::exists(id) && ::kill(id.pid, signal) == 0;
  }
  return sys::exists(id) && ::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0) == 0;
}

Ended end_members(const Ending& ending) {
  Ended result;
  std::vector<sys::ProcessId> signalled = ending.told;
  auto kill_at = sys::monotonic_time() + ending.grace;
  std::optional<KillPhase> kill;
  milliseconds pause{2};
  for (int empty_scans = 0;;) {
    result.left = ending.members();
    empty_scans = result.left.empty() ? empty_scans + 1 : 0;
    const auto now = sys::monotonic_time();
    if (!kill && (now >= kill_at || (ending.hurry && ending.hurry()))) {
      kill.emplace(now);
    }
    if (empty_scans == 2 || (kill && !kill->is_worth_it(result.left, now))) {
      break;
    }
    if (kill) {
      kill->round(ending, result.left);
      pause = std::min(pause, milliseconds{20});
    } else {
      terminate_new(result.left, signalled);
    }
    if (!ending.wait(result.left.empty() ? milliseconds{1} : pause)) {
      break;
    }
    pause = std::min(pause * 2, milliseconds{100});
  }
  result.signalled = signalled.size();
  return result;
}

}  // namespace onelane::process
