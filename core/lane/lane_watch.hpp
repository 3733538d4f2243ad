#pragma once

#include <array>
#include <optional>

#include "core/lane/sleeper.hpp"
#include "core/lane/table.hpp"

namespace onelane::lane {

/// Tells a process that only observes a lane when to look again: at every change of the file
/// (inotify) and when the owner of one slot is gone, which does not change the file. A table opened
/// for reading is enough: the lock it waits for is a read lock, released at once.
///
/// Make it before the first look, then: look, sleep_on(), poll fds(), drain(), look again.
class LaneWatch {
 public:
  /// `table` must outlive it. Throws SystemError without eventfd(2).
  explicit LaneWatch(const Table& table);

  /// The slot whose owner's end is to be reported; nullopt for none. Starts or stops a thread.
  void sleep_on(std::optional<std::size_t> slot);
  /// Readable when it is time to look again; -1 for a descriptor that does not exist.
  [[nodiscard]] std::array<int, 2> fds() const noexcept;
  /// False when inotify has no instance left: then also look at intervals.
  [[nodiscard]] bool is_complete() const noexcept { return watch_.is_open(); }
  void drain() noexcept;

 private:
  const Table& table_;
  sys::FileDescriptor watch_;
  std::optional<std::size_t> slot_;
  Sleeper sleeper_;
};

/// The slots that keep a lane from being free: the holder's, those of waiting tickets, and those
/// whose entry cannot be read but whose owner lives. Parked and cancelled tickets and services do
/// not count. Based on the slots' byte locks, so a run counts until it has released its own. A
/// snapshot without the gate.
[[nodiscard]] std::vector<std::size_t> busy_slots(const Table& table);

/// True until the ticket `sequence` has left `slot` or died; an unreadable entry counts as present.
[[nodiscard]] bool is_there(const Table& table, std::size_t slot, std::uint64_t sequence);

}  // namespace onelane::lane
