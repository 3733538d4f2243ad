#pragma once

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/lane/ticket.hpp"

namespace onelane::lane {

/// How the future owner of a LaneMutex waits.
class Waiter {
 public:
  virtual ~Waiter() = default;
  /// Waits until `ticket` has the lane (advance() says Started), at most `limit`: nullopt waits
  /// forever, 0 does not wait. False when the wait was given up; the ticket has then left the
  /// queue.
  [[nodiscard]] virtual bool wait(Ticket& ticket,
                                  std::optional<std::chrono::nanoseconds> limit) = 0;
};

/// Only waits: prints no notice and handles no signal. Throws SystemError (ESTALE) when the lane's
/// file is removed or replaced.
class PlainWaiter : public Waiter {
 public:
  [[nodiscard]] bool wait(Ticket& ticket, std::optional<std::chrono::nanoseconds> limit) override;
};

/// The interprocess named mutex of a project: FIFO, fair, and free again when its owner is killed.
/// Models Boost's TimedLockable, so it works with `boost::interprocess::scoped_lock<LaneMutex>`,
/// and each call that waits its turn takes the lane through one. The name is the lane's state
/// directory, the ticket is the place in its queue.
///
/// `boost::interprocess::named_mutex` is not used: it stays locked forever after a SIGKILL of its
/// owner (boostorg/interprocess#74; shown by tests/unit/core/lane/mutex_test.cpp). Not recursive,
/// and can be locked only once. Members throw SystemError when the lane cannot be used.
class LaneMutex {
 public:
  /// `table` and `waiter` must outlive it.
  LaneMutex(const Table& table, const TicketInfo& info, Waiter& waiter)
      : ticket_{table, info}, waiter_{waiter} {}
  LaneMutex(const LaneMutex&) = delete;
  LaneMutex& operator=(const LaneMutex&) = delete;
  ~LaneMutex() = default;

  /// Throws SystemError (ECANCELED) when the wait was given up.
  void lock();
  [[nodiscard]] bool try_lock();
  /// `until` is UTC, as for Boost's own mutexes; pos_infin waits forever.
  [[nodiscard]] bool timed_lock(const boost::posix_time::ptime& until);
  /// Closes the record of the run, unless that is done already, then releases the lane.
  void unlock();

  /// Call before unlock(): clears the record and writes down the kept processes, so that the next
  /// ticket finds them once the lane is free.
  void close_record(const std::vector<Kept>& kept) noexcept;

  [[nodiscard]] Ticket& ticket() noexcept { return ticket_; }
  [[nodiscard]] const Ticket& ticket() const noexcept { return ticket_; }

 private:
  Ticket ticket_;
  Waiter& waiter_;
  bool is_closed_ = false;
};

}  // namespace onelane::lane
