#pragma once

#include <chrono>
#include <cstdint>

namespace onelane::sys {

/// Time since boot, including suspend (CLOCK_BOOTTIME): what people mean by "since".
[[nodiscard]] std::chrono::nanoseconds boot_time() noexcept;

/// Time since boot, excluding suspend (CLOCK_MONOTONIC): for limits, so that none expires while a
/// laptop sleeps.
[[nodiscard]] std::chrono::nanoseconds monotonic_time() noexcept;

/// Seconds since the epoch, for records that people read. Never used for ordering.
[[nodiscard]] std::int64_t wall_seconds() noexcept;

/// Milliseconds since the epoch; for the same use as wall_seconds().
[[nodiscard]] std::int64_t wall_milliseconds() noexcept;

}  // namespace onelane::sys
