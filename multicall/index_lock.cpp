#include "multicall/index_lock.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "core/sys/clock.hpp"
#include "shims/tables.hpp"

namespace onelane::multicall {
namespace {

constexpr std::time_t kFreshSeconds = 10;

bool is_fresh(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && ::time(nullptr) - info.st_mtime < kFreshSeconds;
}

/// The first pending signal that ends a process by default; the others are dropped, as they
/// would be by a process that only sleeps.
int ending_signal(const process::Signals& signals) {
  process::Signals::Arrived arrived;
  while (signals.next_noticed(arrived)) {
    if (arrived.signal != SIGCHLD && arrived.signal != SIGCONT && arrived.signal != SIGWINCH &&
        arrived.signal != SIGTSTP && arrived.signal != SIGTTIN && arrived.signal != SIGTTOU) {
      return arrived.signal;
    }
  }
  return 0;
}

}  // namespace

int wait_for_index_lock(const std::string& git_dir, std::chrono::milliseconds limit,
                        const process::Signals& signals) {
  const std::string path = git_dir + "/" + std::string{shims::index_lock_name()};
  if (!is_fresh(path)) {
    return 0;
  }
  const sys::FileDescriptor watch = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch.is_open()) {
    (void)::inotify_add_watch(watch.get(), git_dir.c_str(), IN_DELETE | IN_MOVED_FROM);
  }
  const auto deadline = sys::monotonic_time() + limit;
  while (is_fresh(path)) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::monotonic_time()).count();
    if (left <= 0) {
      return 0;
    }
    pollfd polled[2] = {{watch.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    (void)::poll(polled, 2, static_cast<int>(std::min<long>(left, 1000)));
    if (const int signal = ending_signal(signals)) {
      return signal;
    }
    alignas(inotify_event) std::array<char, 4096> events;
    while (::read(watch.get(), events.data(), events.size()) > 0) {
    }
  }
  return 0;
}

}  // namespace onelane::multicall
