#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/journal/statistics.hpp"
#include "multicall/term/paint.hpp"

namespace onelane::multicall {

/// The statistics for people, each list cut at `top` rows, lines no wider than `width` as far as
/// the words allow (0: no limit). Ends with a newline.
[[nodiscard]] std::string stats_text(const journal::Statistics& statistics, const Paint& paint,
                                     std::size_t top, std::size_t width);

/// The statistics as a JSON object. Lists are cut at `top` rows, unless that is 0.
[[nodiscard]] nlohmann::json stats_json(const journal::Statistics& statistics, std::size_t top);

}  // namespace onelane::multicall
