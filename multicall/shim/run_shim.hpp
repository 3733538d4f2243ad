#pragma once

#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// The way of one call (README, "How a call goes"): off? classify, project, settings,
/// nested? lane, launch, supervise. Ends this process as the real tool ends, or replaces it
/// by the real tool; returns an exit code only when no tool could be run.
[[nodiscard]] int run_shim(const Call& call);

}  // namespace onelane::multicall
