#pragma once

#include <signal.h>

#include <array>

namespace onelane::sys {

/// The signals by which people and programs ask a process to end (signal(7)).
inline constexpr std::array kEndingSignals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

[[nodiscard]] constexpr bool is_ending_signal(int signal) noexcept {
  for (const int one : kEndingSignals) {
    if (one == signal) {
      return true;
    }
  }
  return false;
}

}  // namespace onelane::sys
