#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/journal/statistics.hpp"
#include "multicall/term/paint.hpp"

namespace onelane::multicall {

/// The statistics for people, each list cut at `top` rows, no line longer than `width` as
/// far as words allow (0: as long as it comes). Ends with a newline.
[[nodiscard]] std::string stats_text(const journal::Statistics& statistics, const Paint& paint,
                                     std::size_t top, std::size_t width);

/// The statistics as a JSON object; every list is complete, but for `top` where that is not 0.
[[nodiscard]] nlohmann::json stats_json(const journal::Statistics& statistics, std::size_t top);

}  // namespace onelane::multicall
