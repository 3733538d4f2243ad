#pragma once

#include <optional>
#include <string>

#include "core/lane/ticket.hpp"

namespace onelane::lane {

/// Looks for a circle of waits that `ticket` closes: it waits for the run that holds its
/// lane, that run (through a nested call) waits for a lane, and so on, back to a run above
/// `ticket`. Returns the circle in words, or nothing.
///
/// A waiting ticket is the victim only if it is the youngest of its circle, so that two
/// that close one at the same moment do not both give up. Reads other lanes' tables without
/// their gates; at most ten lanes deep. Since one call waits in one lane, and the holder
/// blocks everybody there, every circle passes through holders: there is none that
/// re-ordering a queue could solve (the "soft" ones of PostgreSQL's deadlock detector,
/// src/backend/storage/lmgr/README, need a waiter that holds something itself).
[[nodiscard]] std::optional<std::string> find_cycle(const Ticket& ticket);

}  // namespace onelane::lane
