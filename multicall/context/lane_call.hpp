#pragma once

#include <string>

#include "core/process/background.hpp"

namespace onelane::multicall {

/// Knows lane calls of the lane in `lane_dir` that passed below its holder: tools by what their
/// shim has put into their environment (ONELANE_AT), and onelane itself, on its way to a tool or
/// as a nested `onelane run`; not one that is in another lane.
[[nodiscard]] process::LaneCallTest lane_call_test(std::string lane_dir);

}  // namespace onelane::multicall
