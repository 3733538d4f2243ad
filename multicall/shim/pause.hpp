#pragma once

#include <chrono>

#include "core/process/signals.hpp"

namespace onelane::multicall {

/// Sleeps for `limit` while no process of the run lives; Ctrl-Z stops this process meanwhile.
/// Returns at once with a signal that ends us, else 0. A limit of 0 only reads pending signals.
[[nodiscard]] int pause(const process::Signals& signals, std::chrono::milliseconds limit);

/// Waits at most `limit` for a signal that ends us; 0 for none. Does not stop on Ctrl-Z.
[[nodiscard]] int ending_signal_within(const process::Signals& signals,
                                       std::chrono::milliseconds limit);

}  // namespace onelane::multicall
