#include "multicall/shim/pause.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "core/sys/clock.hpp"
#include "core/sys/ending_signal.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

/// The ending signal among those that have arrived, 0 for none; a stop signal stops us meanwhile.
int ending_signal_of(const process::Signals& signals) {
  process::Signals::Arrived arrived;
  while (signals.next_noticed(arrived)) {
    switch (arrived.signal) {
      case SIGTSTP:
      case SIGTTIN:
      case SIGTTOU:
        (void)process::stop_self(arrived.signal);
        break;
      case SIGCHLD:
      case SIGCONT:
      case SIGWINCH:
      case SIGURG:
        break;  // ignored by default
      default:
        return arrived.signal;
    }
  }
  return 0;
}

}  // namespace

int pause(const process::Signals& signals, milliseconds limit) {
  const auto end = sys::monotonic_time() + limit;
  for (;;) {
    if (const int signal = ending_signal_of(signals)) {
      return signal;
    }
    const auto left = std::chrono::ceil<milliseconds>(end - sys::monotonic_time());
    if (left.count() <= 0) {
      return 0;
    }
    pollfd polled{signals.fd(), POLLIN, 0};
    (void)::poll(&polled, 1, static_cast<int>(std::min(left, milliseconds{3'600'000}).count()));
  }
}

int ending_signal_within(const process::Signals& signals, std::chrono::milliseconds limit) {
  pollfd polled{signals.fd(), POLLIN, 0};
  (void)::poll(&polled, 1, static_cast<int>(limit.count()));
  process::Signals::Arrived arrived;
  while (signals.next_noticed(arrived)) {
    if (sys::is_ending_signal(arrived.signal)) {
      return arrived.signal;
    }
  }
  return 0;
}

}  // namespace onelane::multicall
