#pragma once

#include <memory>

#include "multicall/context/call.hpp"
#include "multicall/shim/additions.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// What is added around a call of a shim that does not pass. May set Plan::call_key and
/// Plan::until, and split the process.
using AdditionsFor = std::unique_ptr<Additions> (*)(Plan& plan);

/// The way of one call, from the shim's name to the tool's end: off? decide, pass through? or find
/// the real tool and run it in its turn. Ends this process as the real tool ends, or replaces it
/// by the real tool; returns an exit code only when no tool could be run.
[[nodiscard]] int run_call(const Call& call, AdditionsFor additions_for);

/// Its second half, where `onelane run` comes in: waits for the turn (a service does not),
/// launches, waits, settles, and ends this process as the tool ended. Returns an exit code only
/// when nothing was run. Throws SystemError where the lane cannot be used; nothing has run then
/// either.
[[nodiscard]] int run_planned(const Plan& plan, Additions& additions);

}  // namespace onelane::multicall
