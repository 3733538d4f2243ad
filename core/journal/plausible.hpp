#pragma once

#include <algorithm>
#include <cstdint>

namespace onelane::journal {

/// What a hostile line may claim at most: dates can be shown, and a sum over as many runs as a
/// journal can hold fits.
inline constexpr std::int64_t kLatestMs = 253'402'300'799'999;           // the end of the year 9999
inline constexpr std::int64_t kLongestMs = 100LL * 366 * 24 * 3600'000;  // a hundred years
inline constexpr std::int64_t kMostKb = std::int64_t{1} << 40U;          // a pebibyte

[[nodiscard]] inline std::int64_t plausible(std::int64_t value, std::int64_t most) noexcept {
  return std::clamp<std::int64_t>(value, 0, most);
}

}  // namespace onelane::journal
