#pragma once

#include <optional>
#include <string>

#include "core/lane/ticket.hpp"
#include "core/process/signals.hpp"
#include "multicall/shim/lane_place.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// After Step::Started: ends what runs have left whose supervisor and guardian both died, writes
/// down what lives on and that they crashed, and waits for their lane calls in the background; then
/// `ticket` has begun. Why the call gives up otherwise, in which case the ticket has left. Blocks;
/// ends this process where a signal says so. Throws SystemError.
[[nodiscard]] std::optional<std::string> clear_away_last_run(lane::Ticket& ticket, const Plan& plan,
                                                             const process::Signals& signals,
                                                             const LanePlace& place);

}  // namespace onelane::multicall
