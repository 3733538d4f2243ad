#pragma once

#include <string>

#include "multicall/report/history.hpp"

namespace onelane::multicall {

/// The history as one self-contained HTML page: its style, its script and the runs as data are
/// inside. The policy in its head allows this style and this script by their hashes and nothing
/// else; no text of a run is ever markup. Throws std::bad_alloc.
[[nodiscard]] std::string page_of(const History& history);

/// The same data as `report --json` prints: schema, project, figures, runs.
[[nodiscard]] std::string json_of(const History& history);

}  // namespace onelane::multicall
