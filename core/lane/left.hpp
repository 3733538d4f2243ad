#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// The places of tickets whose owner was killed, or told to end, while they waited.
///
/// A killed ticket's place is recorded by the next call that queues or by the next grant, and its
/// time counts from then: no ticket has queued in between, so keeping the place overtakes no ticket
/// that had not been behind it already. Places are lost with the lane file and are valid for one
/// boot only.
///
/// Writers hold the gate and throw SystemError when the lane file cannot be used.

/// True for the entry of a waiting ticket whose place is kept when its owner dies.
[[nodiscard]] bool may_rejoin(const Entry& entry) noexcept;

/// Records the place of `entry` if it may_rejoin(); call it before the entry itself is cleared.
/// `header` is the one in the file. When there are too many places, the one that expires first is
/// dropped.
void remember(const Table& table, Header& header, std::size_t slot, const Entry& entry);

/// Records the places of dead owners that made the same request as `comer`, and clears their
/// entries.
void remember_dead(const Table& table, Header& header, std::vector<Entry>& entries,
                   const Entry& comer);

/// A remembered place and its position in the file.
struct FoundLeft {
  Left left;
  std::size_t index = 0;
};

/// The oldest unexpired place with the same key and user as `comer`. The caller that takes it
/// writes a blank one there. Drops expired places, from `header` too.
[[nodiscard]] std::optional<FoundLeft> find_left(const Table& table, Header& header,
                                                 const std::vector<Entry>& entries,
                                                 const Entry& comer);

/// A remembered place, for display.
struct LeftPlace {
  Left left;
  /// nullopt while the death of its owner is not yet recorded: the time has not started.
  std::optional<std::chrono::nanoseconds> still;
};

/// All remembered places in the order of arrival; a snapshot without the gate. `alive` is
/// Table::are_alive() of the entries.
[[nodiscard]] std::vector<LeftPlace> left_places(const Table& table, const Header& header,
                                                 const std::vector<Entry>& entries,
                                                 const std::vector<bool>& alive);

}  // namespace onelane::lane
