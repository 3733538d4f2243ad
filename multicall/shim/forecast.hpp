#pragma once

#include <chrono>
#include <optional>

#include "core/journal/usual.hpp"
#include "core/lane/ticket.hpp"

namespace onelane::multicall {

/// What a waiting call may expect.
struct Forecast {
  std::optional<std::chrono::milliseconds> usual;  ///< Duration of runs such as the holder's.
  /// Until it is our turn: nothing when somebody before us has no usual duration, or the lane is
  /// on hold. Never negative.
  std::optional<std::chrono::milliseconds> eta;
  bool is_overdue = false;  ///< The holder has taken longer than usual: `eta` leaves it out.
};

/// Reads the table, and of the journal what `usual` has not yet been asked for. Blocks for that
/// alone. Throws SystemError when the table cannot be read.
[[nodiscard]] Forecast forecast_of(const lane::Ticket& ticket, journal::Usual& usual);

}  // namespace onelane::multicall
