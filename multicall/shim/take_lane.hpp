#pragma once

#include <optional>

#include "core/lane/ticket.hpp"
#include "core/process/leftovers.hpp"
#include "core/process/signals.hpp"
#include "multicall/shim/run.hpp"

namespace onelane::multicall {

/// A call's place in its lane; without a ticket it runs without the lane. The ticket borrows
/// the table, so neither moves.
struct LanePlace {
  sys::FileDescriptor state;  ///< The project's state directory, where its journal is.
  unsigned file_mode = 0600;  ///< Of files in it.
  std::string directory;      ///< Where the call was made.
  std::string terminal;       ///< Its terminal, empty for none.
  std::string start_notice;   ///< To be said when the tool starts; empty for nothing.
  std::optional<lane::Table> table;
  std::optional<lane::Ticket> ticket;
};

/// Gets the lane for `plan` (or a service's place), blocking for its turn, and clears away
/// after a last run whose supervisor and guardian both died. An exit code when there is
/// nothing to run. Throws SystemError where the lane cannot be used.
[[nodiscard]] std::optional<int> take_lane(const Plan& plan, const process::Signals& signals,
                                           const process::RunTraits& traits, LanePlace& place);

}  // namespace onelane::multicall
