#pragma once

#include <chrono>

#include "core/process/signals.hpp"

namespace onelane::multicall {

/// Lets `limit` pass while nothing of the run lives; stops with the job (Ctrl-Z) meanwhile. The
/// signal that ends us, at once, or 0. With a limit of 0 it tells what has arrived.
[[nodiscard]] int pause(const process::Signals& signals, std::chrono::milliseconds limit);

/// Waits for a signal that ends us, at most `limit`; 0 for none. Ctrl-Z is left alone.
[[nodiscard]] int ending_signal_within(const process::Signals& signals,
                                       std::chrono::milliseconds limit);

}  // namespace onelane::multicall
