#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// The places of those who were killed, or told to end, while they waited.
///
/// What a killed one leaves is found by the next that queues or the next grant, and its time
/// counts from there: nobody has queued in between, so nobody is overtaken whom its owner had not
/// been before already. All is lost with the lane file and counts for one boot only.
///
/// Writers hold the gate and throw SystemError when the lane file cannot be used.

/// True for the entry of one that waits, and whose place stays when it dies.
[[nodiscard]] bool may_rejoin(const Entry& entry) noexcept;

/// Writes down the place of `entry` if it may_rejoin(), before the entry itself is cleared;
/// `header` is the one in the file. The place that would go first of too many goes.
void remember(const Table& table, Header& header, std::size_t slot, const Entry& entry);

/// Remembers the places of all dead owners, and clears their entries.
void remember_dead(const Table& table, Header& header, std::vector<Entry>& entries);

/// A remembered place and where it is written down.
struct FoundLeft {
  Left left;
  std::size_t index = 0;
};

/// The oldest place that `comer` may have: of the same key and user, in time. Whoever takes it
/// writes a blank one there. Forgets, in `header` too, what nobody can take any more.
[[nodiscard]] std::optional<FoundLeft> find_left(const Table& table, Header& header,
                                                 const std::vector<Entry>& entries,
                                                 const Entry& comer);

/// A place that stays, for people.
struct LeftPlace {
  Left left;
  /// Nothing where its owner was killed and nobody has found out: the time has not begun.
  std::optional<std::chrono::nanoseconds> still;
};

/// All places that stay, in the order of arrival; a snapshot without the gate.
[[nodiscard]] std::vector<LeftPlace> left_places(const Table& table, const Header& header,
                                                 const std::vector<Entry>& entries);

}  // namespace onelane::lane
