#pragma once

#include <cstdint>

namespace onelane {

inline constexpr std::uint64_t kMb = std::uint64_t{1} << 20U;

}  // namespace onelane
