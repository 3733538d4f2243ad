#pragma once

#include <optional>
#include <string>

#include "core/journal/record.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {

/// It has held a lane, and no other run has held it since.
[[nodiscard]] bool was_last(const LanesHere& lanes, std::string_view id);

/// The record of a run that has left its lane. The supervisor writes it after leaving, so this
/// blocks until it comes or the supervisor ends, three seconds at most. `found` is the ticket the
/// run had, if it was seen. Empty if there is no record: a full disk, or a call that never ran.
[[nodiscard]] std::optional<journal::Record> record_of_ended(const LanesHere& lanes,
                                                             const std::string& id,
                                                             const std::optional<Found>& found);

/// "exit 3, after 1m02s", "signal 15, stopped, after 3s".
[[nodiscard]] std::string ended_words(const journal::Record& record);

/// The exit status of the run as a shell gives it: 128 + n for death by signal n; 1 if none was
/// recorded.
[[nodiscard]] int exit_status_of(const std::optional<journal::Record>& record);

}  // namespace onelane::multicall
