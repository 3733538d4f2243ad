#pragma once

#include <optional>
#include <string>

#include "core/journal/record.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {

/// It has held a lane, and nobody has since.
[[nodiscard]] bool was_last(const LanesHere& lanes, std::string_view id);

/// The record of a run that has left its lane: its supervisor writes it after that, and then ends,
/// which is waited for, at most three seconds. `found` is the ticket it had, where that was seen.
/// Nothing where there is none: a full disk, or a call that never ran.
[[nodiscard]] std::optional<journal::Record> record_of_ended(const LanesHere& lanes,
                                                             const std::string& id,
                                                             const std::optional<Found>& found);

/// "exit 3, after 1m02s", "signal 15, stopped, after 3s".
[[nodiscard]] std::string ended_words(const journal::Record& record);

/// The exit status of the run as a shell would have it: 128 + n for death by signal n; 1 where
/// none is written down.
[[nodiscard]] int exit_status_of(const std::optional<journal::Record>& record);

}  // namespace onelane::multicall
