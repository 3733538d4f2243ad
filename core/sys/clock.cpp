#include "core/sys/clock.hpp"

#include <ctime>

namespace onelane::sys {
namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) noexcept {
  struct timespec now {};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
}

}  // namespace

std::chrono::nanoseconds boot_time() noexcept {
  return read_clock(CLOCK_BOOTTIME);
}

std::chrono::nanoseconds monotonic_time() noexcept {
  return read_clock(CLOCK_MONOTONIC);
}

std::int64_t wall_seconds() noexcept {
  return std::chrono::duration_cast<std::chrono::seconds>(read_clock(CLOCK_REALTIME)).count();
}

std::int64_t wall_milliseconds() noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace onelane::sys
