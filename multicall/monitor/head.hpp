#pragma once

#include <cstddef>
#include <vector>

#include "multicall/monitor/rows.hpp"

namespace onelane::multicall::monitor {

/// The lines above the lists: the project, what runs, its memory and the machine's, as far as they
/// fit on a screen of `rows`.
[[nodiscard]] std::vector<Line> head_lines(const Look& look, const Paper& paper, std::size_t rows);

}  // namespace onelane::multicall::monitor
