#pragma once

#include <optional>
#include <string>

#include "core/lane/ticket.hpp"

namespace onelane::lane {

/// Looks for a cycle of waits that `ticket` closes: it waits for the run that holds its lane, a
/// nested call of that run waits for another lane, and so on, back to a run above `ticket`. Returns
/// a description of the cycle, or nullopt.
///
/// A waiting ticket is the victim only if it is the youngest in its cycle, so that two tickets that
/// close one at the same moment do not both give up. Reads other lanes' tables without their gates,
/// at most ten lanes deep. A call waits in only one lane, and there the holder blocks all others,
/// so every cycle passes through holders. Reordering a queue could therefore never solve one (the
/// "soft" cycles of PostgreSQL's deadlock detector, src/backend/storage/lmgr/README, need a waiter
/// that holds something itself).
[[nodiscard]] std::optional<std::string> find_cycle(const Ticket& ticket);

}  // namespace onelane::lane
