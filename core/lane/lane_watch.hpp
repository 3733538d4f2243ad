#pragma once

#include <array>
#include <optional>

#include "core/lane/sleeper.hpp"
#include "core/lane/table.hpp"

namespace onelane::lane {

/// Tells whoever only looks at a lane when to look again: at every change of the file (inotify)
/// and when the owner of one slot is gone, which changes nothing in it. Needs a table opened for
/// reading, no more: the lock it asks for is a read lock, given back at once.
///
/// Make it before the first look, then: look, sleep_on(), poll fds(), drain(), look again.
class LaneWatch {
 public:
  /// `table` must outlive it. Throws SystemError without eventfd(2).
  explicit LaneWatch(const Table& table);

  /// Whose end is to be told; nothing for nobody's. Starts or stops a thread.
  void sleep_on(std::optional<std::size_t> slot);
  /// Readable when there is something to look at; -1 where there is no such descriptor.
  [[nodiscard]] std::array<int, 2> fds() const noexcept;
  /// False where inotify has no instance left: then look again now and then.
  [[nodiscard]] bool is_complete() const noexcept { return watch_.is_open(); }
  void drain() noexcept;

 private:
  const Table& table_;
  sys::FileDescriptor watch_;
  std::optional<std::size_t> slot_;
  Sleeper sleeper_;
};

/// The slots of a lane that keep it from being free: those of a holder, of tickets that wait, and
/// of whoever cannot be read but lives. A ticket that is parked, cancelled or a service does not.
/// Decided by the slots' bytes, so a run counts until it has let go. A snapshot without the gate.
[[nodiscard]] std::vector<std::size_t> busy_slots(const Table& table);

/// True until the ticket `sequence` has left `slot`, by itself or by dying; an unreadable entry
/// counts as there. Blocks for 20 ms where a ticket seems dead that may just be parking.
[[nodiscard]] bool is_there(const Table& table, std::size_t slot, std::uint64_t sequence);

}  // namespace onelane::lane
