#pragma once

#include <memory>

#include "multicall/context/call.hpp"
#include "multicall/shim/additions.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// Makes the additions for a call of a shim that does not pass. May set Plan::call_key and
/// Plan::until, and may fork: the process that returns is the run.
using AdditionsFor = std::unique_ptr<Additions> (*)(Plan& plan);

/// The way of one call, from the shim's name to the end of the tool: switched off? decide; pass
/// through, or find the real tool and run it when it is its turn. Ends this process as the real
/// tool ends, or replaces it with the real tool; returns an exit code only if no tool could be run.
[[nodiscard]] int run_call(const Call& call, AdditionsFor additions_for);

/// The second half, which `onelane run` enters directly: waits for the turn (a service does not),
/// launches, waits, settles, and ends this process as the tool ended. Returns an exit code only if
/// nothing was run. Throws SystemError if the lane cannot be used; then nothing has run either.
[[nodiscard]] int run_planned(const Plan& plan, Additions& additions);

}  // namespace onelane::multicall
