#include "core/lane/mutex.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"

namespace onelane::lane {
namespace {

using std::chrono::nanoseconds;

/// A plain waiter does not clear away after a killed run: it knows nothing about it.
bool has_begun(Ticket& ticket) {
  Begun begun = Begun::GateHeld;
  while (begun == Begun::GateHeld || begun == Begun::NotYet) {
    begun = ticket.begin();
  }
  return begun == Begun::Yes;
}

/// True when one of the ticket's wake-ups came before `deadline`, or it is time to look again.
bool sleep(Ticket& ticket, std::optional<nanoseconds> deadline) {
  constexpr std::chrono::milliseconds kLookAgain{1'000};
  auto pause = kLookAgain;
  if (deadline) {
    const auto left = *deadline - sys::monotonic_time();
    if (left <= nanoseconds{0}) {
      return false;
    }
    pause = std::min(pause, std::chrono::ceil<std::chrono::milliseconds>(left));
  }
  const auto fds = ticket.wake_fds();
  pollfd polled[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
  (void)::poll(polled, 2, static_cast<int>(pause.count()));
  ticket.drain();
  return true;
}

}  // namespace

bool PlainWaiter::wait(Ticket& ticket, std::optional<nanoseconds> limit) {
  const auto deadline = limit ? std::optional{sys::monotonic_time() + *limit} : std::nullopt;
  for (;;) {
    const Step step = ticket.advance();
    if (step == Step::Started && has_begun(ticket)) {
      return true;
    }
    if (step == Step::Gone) {
      throw sys::SystemError{ESTALE, "use", ticket.table().path()};
    }
    if (step == Step::Started || step == Step::Cancelled || !sleep(ticket, deadline)) {
      ticket.leave();
      return false;
    }
  }
}

void LaneMutex::lock() {
  if (!waiter_.wait(ticket_, std::nullopt)) {
    throw sys::SystemError{ECANCELED, "lock", ticket_.table().path()};
  }
}

bool LaneMutex::try_lock() {
  return waiter_.wait(ticket_, nanoseconds{0});
}

bool LaneMutex::timed_lock(const boost::posix_time::ptime& until) {
  if (until.is_pos_infinity()) {
    return waiter_.wait(ticket_, std::nullopt);
  }
  const auto left = until - boost::posix_time::microsec_clock::universal_time();
  return waiter_.wait(
      ticket_, std::chrono::microseconds{std::max<std::int64_t>(0, left.total_microseconds())});
}

void LaneMutex::close_record(const std::vector<Kept>& kept) noexcept {
  is_closed_ = true;
  ticket_.close_record(kept);
}

void LaneMutex::unlock() {
  if (!is_closed_) {
    close_record({});
  }
  ticket_.release();
}

}  // namespace onelane::lane
