#pragma once

#include <optional>
#include <string>

#include "core/lane/ticket.hpp"
#include "core/process/signals.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// After Step::Started: for each run whose supervisor and guardian both died, ends what it left,
/// writes down what lives on and that it crashed, and waits for its lane calls in the background.
/// Returns nothing once `ticket` has begun, else why the call gives up: then the ticket has left.
/// Blocks; a signal may end this process. Throws SystemError.
[[nodiscard]] std::optional<std::string> clear_away_last_run(lane::Ticket& ticket, const Plan& plan,
                                                             const process::Signals& signals,
                                                             const LanePlace& place);

}  // namespace onelane::multicall
