#pragma once

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/lane/ticket.hpp"

namespace onelane::lane {

/// How the owner-to-be of a LaneMutex passes its wait.
class Waiter {
 public:
  virtual ~Waiter() = default;
  /// Waits until `ticket` has the lane (advance() says Started), at most `limit`: nothing means
  /// for ever, 0 does not wait. False when it was given up; the ticket has left the queue then.
  [[nodiscard]] virtual bool wait(Ticket& ticket,
                                  std::optional<std::chrono::nanoseconds> limit) = 0;
};

/// Waits and does nothing else: no notice, no signal is looked at. Throws SystemError (ESTALE) when
/// the lane's file is removed or replaced.
class PlainWaiter : public Waiter {
 public:
  [[nodiscard]] bool wait(Ticket& ticket, std::optional<std::chrono::nanoseconds> limit) override;
};

/// The interprocess named mutex of a project: FIFO, fair, and free again when its owner is
/// killed. Models Boost's TimedLockable, so `boost::interprocess::scoped_lock<LaneMutex>`
/// works with it, and each call that waits its turn takes the lane through one; the name is the
/// lane's state directory, the ticket is the place in its queue.
///
/// `boost::interprocess::named_mutex` is not used: it stays locked for ever after a SIGKILL
/// of its owner (boostorg/interprocess#74; shown by tests/unit/core/lane/mutex_test.cpp).
/// Not recursive, and locked once in its life. Members throw SystemError when the lane cannot be
/// used.
class LaneMutex {
 public:
  /// `table` and `waiter` outlive it.
  LaneMutex(const Table& table, const TicketInfo& info, Waiter& waiter)
      : ticket_{table, info}, waiter_{waiter} {}
  LaneMutex(const LaneMutex&) = delete;
  LaneMutex& operator=(const LaneMutex&) = delete;
  ~LaneMutex() = default;

  /// Throws SystemError (ECANCELED) where the wait was given up.
  void lock();
  [[nodiscard]] bool try_lock();
  /// `until` is UTC, as Boost's own mutexes have it; pos_infin waits for ever.
  [[nodiscard]] bool timed_lock(const boost::posix_time::ptime& until);
  /// Closes the record of the run, unless that is done, then lets the lane go.
  void unlock();

  /// Ahead of unlock(): clears the record and writes down what lives on, so that the next one
  /// finds it when the lane is free.
  void close_record(const std::vector<Kept>& kept) noexcept;

  [[nodiscard]] Ticket& ticket() noexcept { return ticket_; }
  [[nodiscard]] const Ticket& ticket() const noexcept { return ticket_; }

 private:
  Ticket ticket_;
  Waiter& waiter_;
  bool is_closed_ = false;
};

}  // namespace onelane::lane
