#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// A live ticket and the lane it is in, which must outlive it.
struct Found {
  const lane::Table* table = nullptr;
  lane::LiveTicket ticket;

  [[nodiscard]] std::string id() const { return std::string{lane::view(ticket.entry.run_id)}; }
  [[nodiscard]] lane::State state() const noexcept { return ticket.entry.state; }
  /// Holds the lane or is a service; every other ticket is in the queue.
  [[nodiscard]] bool has_started() const noexcept {
    return lane::has_lane(state()) || state() == lane::State::Service;
  }
  /// May still get its turn: neither started nor cancelled.
  [[nodiscard]] bool waits() const noexcept {
    return !has_started() && state() != lane::State::Cancelled;
  }
};

/// Every live ticket in all lanes of the project; a snapshot that never blocks.
[[nodiscard]] std::vector<Found> find_tickets(const LanesHere& lanes);
[[nodiscard]] std::optional<Found> find_ticket(const LanesHere& lanes, std::string_view run_id);

/// "run abc `make test`", printable.
[[nodiscard]] std::string name_of(const Found& found);
/// "run abc `make test` (pid 12, user anna, for 3m12s)".
[[nodiscard]] std::string words_of(const Found& found);
/// For list_words().
[[nodiscard]] inline bool has_started(const Found& found) noexcept {
  return found.has_started();
}
[[nodiscard]] inline bool waits(const Found& found) noexcept {
  return found.waits();
}
/// "; run abc `make test`, run def `git add .` wait" for those of `found` that `is_meant`, or "; no
/// call waits".
[[nodiscard]] std::string list_words(const std::vector<Found>& found,
                                     bool (*is_meant)(const Found&), std::string_view verb);

/// Opens its lane for writing. Throws SystemError: EACCES in another user's lane.
[[nodiscard]] lane::Table open_writable(const Found& found);

/// Makes a waiting ticket leave. A stopped call (Ctrl-Z) is continued so that it can leave, if we
/// may signal it; the next ticket is granted in any case. False when it no longer waits.
bool cancel_ticket(const Found& found);

/// Runs what a verb does that changes or watches the lanes of this project. Returns its exit code,
/// or 1 after one line on stderr if there is no project or its lanes cannot be read or written.
[[nodiscard]] int with_lanes(const std::function<int(const LanesHere&)>& act);

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
