#pragma once

#include <string>

#include "core/process/background.hpp"

namespace onelane::multicall {

/// A test for lane calls of the lane in `lane_dir` that passed because they are below its holder:
/// tools, by what their shim puts into their environment (ONELANE_AT), and onelane itself, about to
/// execute a tool or as a nested `onelane run`. Calls in other lanes do not count.
[[nodiscard]] process::LaneCallTest lane_call_test(std::string lane_dir);

}  // namespace onelane::multicall
