// What a waiting ticket sleeps on, and what wakes it.
#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "core/lane/ticket.hpp"
#include "core/sys/error.hpp"

namespace onelane::lane {

// Without the gate, for a ticket that has nothing to write: one that was woken by a ring, or whose
// predecessor has just been granted.
std::optional<Ticket::Target> Ticket::next_target() {
  if (entry_.sequence == 0) {
    return std::nullopt;
  }
  bool torn = false;
  const auto entries = table_.entries(table_.header().high, &torn);
  const auto current = current_slot(entries);
  note_turn(entries, current);
  const bool mine_is_whole = slot_ < entries.size() && entries[slot_].sequence == entry_.sequence &&
                             entries[slot_].state == State::Waiting;
  if (torn || !current || !mine_is_whole) {
    return std::nullopt;
  }
  const auto before = predecessor_of(entries, slot_);
  if (before && !table_.is_alive(*before)) {
    return std::nullopt;  // to be cleared, with the gate
  }
  const std::size_t slot = before.value_or(*current);
  return target_at(slot, entries[slot].sequence);
}

/// Where to wait for the ticket in `slot`. nullopt when we did, its byte is free, and it is gone.
/// If it lives all the same, it could not lock the byte when it came back from being parked: then
/// its slot's.
std::optional<Ticket::Target> Ticket::target_at(std::size_t slot, std::uint64_t sequence) const {
  const Target fresh{ticket_byte(slot, sequence), sys::LockKind::Read, sequence};
  const bool is_same = target_ && !target_->is_gate && target_->sequence == sequence &&
                       (target_->byte == fresh.byte || target_->byte == slot_byte(slot));
  if (!is_same || !sleeper_ || !sleeper_->is_done()) {
    return is_same ? target_ : fresh;
  }
  return table_.is_alive(slot)
             ? std::optional{Target{slot_byte(slot), sys::LockKind::Read, sequence}}
             : std::nullopt;
}

void Ticket::note_turn(const std::vector<Entry>& entries, std::optional<std::size_t> current) {
  current_ = current ? std::optional{entries[*current]} : std::nullopt;
  waiting_ = static_cast<std::size_t>(std::ranges::count(entries, State::Waiting, &Entry::state));
  runs_beside_ =
      static_cast<std::size_t>(std::ranges::count(entries, State::Beside, &Entry::state));
}

bool Ticket::waits_at_gate() const noexcept {
  return target_ && target_->is_gate && sleeper_ && sleeper_->is_running() && !sleeper_->is_done();
}

// When the gate is held we sleep on it as on a byte: the holder's process lock conflicts with ours,
// which belongs to the description.
std::optional<Gate> Ticket::enter_gate(Patience patience) {
  if (waits_at_gate()) {
    return std::nullopt;
  }
  cancel_sleep();
  GateLook look{table_};
  auto gate = Gate::try_enter(table_, patience, look);
  gate_holder_ = gate ? std::nullopt : look.holder();
  if (!gate) {
    gate_file_ = sys::try_open_file(table_.gate_path().c_str(), O_RDONLY | O_NONBLOCK);
    target_ = Target{.is_gate = true};
  }
  return gate;
}

void Ticket::cancel_sleep() noexcept {
  if (sleeper_) {
    sleeper_->cancel();
  }
  target_.reset();
  gate_file_.reset();
}

/// Of rings, and of the removal of the file.
void Ticket::start_watch() noexcept {
  watch_ = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch_.is_open() && ::inotify_add_watch(watch_.get(), table_.path().c_str(),
                                              IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF) < 0) {
    watch_.reset();
  }
}

std::array<int, 2> Ticket::wake_fds() {
  if (target_ && !(sleeper_ && sleeper_->is_running())) {
    if (!sleeper_) {
      sleeper_.emplace();
    }
    sleeper_->start(target_->is_gate ? gate_file_.get() : table_.fd(), target_->byte,
                    target_->kind);
  }
  return {target_ ? sleeper_->fd() : -1, watch_.get()};
}

bool Ticket::has_missed() const noexcept {
  return entry_.sequence == 0 || table_.rung_at() != rung_ || !table_.is_current();
}

void Ticket::drain() noexcept {
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
}

bool Ticket::park() {
  if (entry_.sequence == 0 || life_ != Life::Queued) {
    cancel_sleep();
    return true;
  }
  const auto gate = enter_gate(Patience::UntilSignal);
  if (!gate) {
    return false;
  }
  auto entries = table_.entries(table_.header().high);
  if (slot_ >= entries.size() || entries[slot_].sequence != entry_.sequence ||
      entries[slot_].state == State::Cancelled) {
    return true;
  }
  const bool was_granted = entries[slot_].state == State::Granted;
  entry_ = entries[slot_];
  set_state(State::Parked);
  sys::unlock_byte(table_.fd(), kLaneByte);
  if (was_granted) {
    entries[slot_] = entry_;
    (void)grant_next(table_, entries, slot_);
  }
  free_ticket_byte();
  table_.ring();  // for those that sleep on our slot's byte, see target_at()
  return true;
}

/// Wakes the tickets that sleep on ours, and keeps others from doing so; we stay alive.
void Ticket::free_ticket_byte() const noexcept {
  sys::unlock_bytes(table_.fd(), ticket_byte(slot_, entry_.sequence), slot_byte(slot_) - 1);
}

/// In one step, so that no process finds the lane taken by a ticket that is gone.
void Ticket::free_bytes() const noexcept {
  sys::unlock_bytes(table_.fd(), kLaneByte, slot_byte(table_.slots()));
}

bool Ticket::unpark() {
  if (entry_.sequence == 0 || life_ != Life::Queued) {
    return true;
  }
  const auto gate = enter_gate(Patience::UntilSignal);
  if (!gate) {
    return false;
  }
  const auto entries = table_.entries(table_.header().high);
  if (slot_ < entries.size() && entries[slot_].sequence == entry_.sequence &&
      entries[slot_].state == State::Parked) {
    entry_ = entries[slot_];
    // Not ours when a ticket is just leaving it; those behind us then sleep on the slot's byte.
    (void)sys::try_lock_bytes(table_.fd(), ticket_byte(slot_, entry_.sequence), slot_byte(slot_));
    set_state(State::Waiting);
    // A ticket that looked before we parked, and was granted since, may only now fall asleep on us.
    table_.ring();
  }
  return true;
}

}  // namespace onelane::lane
