#pragma once

#include <chrono>
#include <cstdint>

namespace onelane::sys {

/// Time since boot, suspend included (CLOCK_BOOTTIME): what people mean by "since".
[[nodiscard]] std::chrono::nanoseconds boot_time() noexcept;

/// Time since boot, suspend excluded (CLOCK_MONOTONIC): for limits, so that a sleeping
/// laptop expires nothing.
[[nodiscard]] std::chrono::nanoseconds monotonic_time() noexcept;

/// Seconds since the epoch, for records that people read. Never used for order.
[[nodiscard]] std::int64_t wall_seconds() noexcept;

/// Milliseconds since the epoch, as wall_seconds().
[[nodiscard]] std::int64_t wall_milliseconds() noexcept;

}  // namespace onelane::sys
