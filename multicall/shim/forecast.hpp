#pragma once

#include <chrono>
#include <optional>

#include "core/journal/usual.hpp"
#include "core/lane/ticket.hpp"

namespace onelane::multicall {

/// How long a waiting call may have to wait.
struct Forecast {
  std::optional<std::chrono::milliseconds> usual;  ///< Usual duration of runs like the holder's.
  /// Until it is our turn; never negative. Nothing if a call ahead of us has no usual duration, or
  /// if the lane is on hold.
  std::optional<std::chrono::milliseconds> eta;
  bool is_overdue = false;  ///< The holder takes longer than usual; `eta` counts it as 0.
};

/// Reads the table, and the journal for what `usual` does not know yet; does not block otherwise.
/// Throws SystemError if the table cannot be read.
[[nodiscard]] Forecast forecast_of(const lane::Ticket& ticket, journal::Usual& usual);

}  // namespace onelane::multicall
