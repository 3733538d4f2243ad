#include "core/process/ending.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::process {
namespace {

using std::chrono::milliseconds;

void kill_all(const std::vector<sys::ProcessStat>& members) {
  for (const auto& member : members) {
    (void)send_signal(member.id, SIGSTOP);
  }
  for (const auto& member : members) {
    (void)send_signal(member.id, SIGKILL);
  }
}

/// TERM to every member not signalled yet; CONT, because a stopped one would never see it.
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
    // No pidfd under an old seccomp filter: the check below is then all there is.
    return (errno == ENOSYS || errno == EPERM) && sys::exists(id) && ::kill(id.pid, signal) == 0;
  }
  return sys::exists(id) && ::syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0) == 0;
}

Ended end_members(const Ending& ending) {
  Ended result;
  std::vector<sys::ProcessId> signalled;
  const auto start = sys::monotonic_time();
  const auto kill_at = start + ending.grace;
  const auto give_up_at = kill_at + std::chrono::seconds{10};
  milliseconds pause{2};
  int empty_scans = 0;
  for (;;) {
    result.left = ending.members();
    empty_scans = result.left.empty() ? empty_scans + 1 : 0;
    const auto now = sys::monotonic_time();
    if (empty_scans == 2 || now >= give_up_at) {
      break;
    }
    if (now >= kill_at) {
      kill_all(result.left);
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
