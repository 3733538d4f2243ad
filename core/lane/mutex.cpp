#include "core/lane/mutex.hpp"

#include <poll.h>

#include <algorithm>
#include <optional>

#include "core/lane/ticket.hpp"
#include "core/sys/clock.hpp"

namespace onelane::lane {

namespace {

/// Waits for the gate, however long that is held.
bool has_begun(Ticket& ticket) {
  Begun begun = Begun::GateHeld;
  while (begun == Begun::GateHeld || begun == Begun::NotYet) {
    begun = ticket.begin();
  }
  return begun == Begun::Yes;
}

}  // namespace

struct LaneMutex::Impl {
  explicit Impl(const std::string& directory) : table{directory, 0600} {}
  Table table;
  std::optional<Ticket> ticket;
};

LaneMutex::LaneMutex(const std::string& state_directory)
    : impl_{std::make_unique<Impl>(state_directory)} {}

LaneMutex::~LaneMutex() = default;

bool LaneMutex::lock_within(int milliseconds) {
  const auto deadline = sys::monotonic_time() + std::chrono::milliseconds{milliseconds};
  impl_->ticket.emplace(impl_->table, TicketInfo{.tool = "mutex", .command = "LaneMutex"});
  Ticket& ticket = *impl_->ticket;
  for (;;) {
    switch (ticket.advance()) {
      case Step::Started:
        if (has_begun(ticket)) {
          return true;
        }
        impl_->ticket->leave();
        impl_->ticket.reset();
        return false;
      case Step::Cancelled:
      case Step::Gone:
        impl_->ticket.reset();
        return false;
      case Step::Waiting:
      case Step::Held:
      case Step::Ready:
      case Step::GateHeld:
        break;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::monotonic_time()).count();
    if (milliseconds >= 0 && left <= 0) {
      impl_->ticket.reset();
      return false;
    }
    const auto fds = ticket.wake_fds();
    pollfd polled[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
    (void)::poll(polled, 2, milliseconds < 0 ? 1000 : static_cast<int>(std::min(left, 1000L)));
    ticket.drain();
  }
}

void LaneMutex::lock() {
  while (!lock_within(-1)) {
  }
}

bool LaneMutex::try_lock() {
  return lock_within(0);
}

bool LaneMutex::timed_lock(const boost::posix_time::ptime& until) {
  const auto left = until - boost::posix_time::microsec_clock::universal_time();
  return lock_within(static_cast<int>(std::max<long>(0, left.total_milliseconds())));
}

void LaneMutex::unlock() {
  impl_->ticket->close_record({});
  impl_->ticket->release();
  impl_->ticket.reset();
}

}  // namespace onelane::lane
