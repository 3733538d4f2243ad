#include "core/lane/lane_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

namespace onelane::lane {

LaneWatch::LaneWatch(const Table& table)
    : table_{table}, watch_{sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK))} {
  if (watch_.is_open() &&
      ::inotify_add_watch(watch_.get(), table.path().c_str(),
                          IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
    watch_.reset();
  }
}

void LaneWatch::sleep_on(std::optional<std::size_t> slot) {
  if (slot == slot_ && sleeper_.is_running() && !sleeper_.is_done()) {
    return;
  }
  sleeper_.cancel();
  slot_ = slot;
  if (slot) {
    sleeper_.start(table_.fd(), slot_byte(*slot), sys::LockKind::Read);
  }
}

std::array<int, 2> LaneWatch::fds() const noexcept {
  return {watch_.get(), slot_ ? sleeper_.fd() : -1};
}

void LaneWatch::drain() noexcept {
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
}

std::vector<std::size_t> busy_slots(const Table& table) {
  std::vector<std::size_t> out;
  const auto entries = table.entries();
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const State state = entries[slot].state;
    const bool counts =
        state != State::Service && state != State::Parked && state != State::Cancelled;
    if (counts && table.is_alive(slot)) {
      out.push_back(slot);
    }
  }
  return out;
}

bool is_there(const Table& table, std::size_t slot, std::uint64_t sequence) {
  bool torn = false;
  const Entry entry = table.entries(slot + 1, &torn)[slot];
  return (torn || entry.sequence == sequence) && table.is_alive(slot);
}

}  // namespace onelane::lane
