// Waiting, parking and the end of a ticket; ticket.cpp holds how it gets its turn.
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "core/lane/left.hpp"
#include "core/lane/live.hpp"
#include "core/lane/ticket.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"

namespace onelane::lane {
std::array<int, 2> Ticket::wake_fds() {
  if (!watch_.is_open()) {
    // Rings and removal of the file; without inotify (no instances left) the wait still
    // works, only cancelling and holding are noticed later.
    watch_ = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch_.is_open()) {
      (void)::inotify_add_watch(watch_.get(), table_.path().c_str(),
                                IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF);
    }
  }
  if (target_ && !(sleeper_ && sleeper_->is_running())) {
    if (!sleeper_) {
      sleeper_.emplace();
    }
    sleeper_->start(target_->is_gate ? gate_file_.get() : table_.fd(), target_->byte,
                    target_->kind);
  }
  return {target_ ? sleeper_->fd() : -1, watch_.get()};
}

void Ticket::drain() noexcept {
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
}

void Ticket::set_state(State state) {
  entry_.state = state;
  table_.write(slot_, entry_);
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
    wake_sleepers();
  }
  return true;
}

// Everybody sleeps on our byte: let it go for a moment. They read the table first and a read lock
// lasts only until they did, so getting it back takes microseconds.
void Ticket::wake_sleepers() const {
  sys::unlock_byte(table_.fd(), slot_byte(slot_));
  while (!sys::lock_byte(table_.fd(), slot_byte(slot_), sys::LockKind::Write)) {
  }
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
    set_state(State::Waiting);
  }
  return true;
}

void Ticket::leave(Leaving how) noexcept {
  if (life_ != Life::Queued && !unsettled_) {
    return;
  }
  life_ = Life::Over;
  const bool is_gate_held = waits_at_gate();
  cancel_sleep();
  if (entry_.sequence == 0) {
    return;
  }
  try {
    const auto gate = is_gate_held ? std::nullopt : Gate::try_enter(table_, Patience::Always);
    Header header = table_.header();
    auto entries = table_.entries(header.high);
    if (gate && slot_ < entries.size() && entries[slot_].sequence == entry_.sequence) {
      if (how == Leaving::MayRejoin) {
        remember(table_, header, slot_, entries[slot_]);
      }
      entries[slot_] = Entry{};
      table_.write(slot_, entries[slot_]);
      (void)grant_next(table_, entries, std::nullopt);
    }
  } catch (const std::exception&) {
    // As where the gate is held: the byte below is what counts, a record without it is dead.
  }
  sys::unlock_byte(table_.fd(), kLaneByte);
  sys::unlock_byte(table_.fd(), slot_byte(slot_));
  table_.ring();
}

void Ticket::set_above(const std::vector<Above>& above) {
  std::string lanes;
  detail_.ancestor_count = 0;
  for (const Above& run : above) {
    // One that does not fit is left out: the circle through it is then only found from its
    // other end.
    if (detail_.ancestor_count == detail_.ancestors.size() ||
        lanes.size() + run.lane_file.size() + 1 >= detail_.ancestor_lanes.size()) {
      break;
    }
    detail_.ancestors[detail_.ancestor_count++] = run.run_id;
    lanes.append(run.lane_file).push_back('\0');
  }
  detail_.ancestor_lanes.fill('\0');
  std::ranges::copy(lanes, detail_.ancestor_lanes.begin());
  if (entry_.sequence != 0) {
    table_.write(slot_, detail_);
  }
}

bool Ticket::enlist_service() {
  const auto gate = enter_gate(Patience::Always);
  if (!gate) {
    cancel_sleep();
    return false;
  }
  Header header = table_.header();
  auto entries = table_.entries(header.high);
  if (!claim_slot(header, entries)) {
    return false;
  }
  entry_.sequence = detail_.sequence = header.next_sequence++;
  entry_.state = State::Service;
  detail_.started_boottime = detail_.enqueued_boottime;
  detail_.started_wall = detail_.enqueued_wall;
  table_.write(header);
  table_.write(slot_, detail_);
  table_.write(slot_, entry_);
  life_ = Life::Started;
  return true;
}

// At every step somebody is left who sees to the rest: an open record to whoever comes next, the
// lane byte, which the guardian shares, to the guardian.
bool Ticket::become_service() noexcept try {
  const auto gate = Gate::try_enter(table_, Patience::Always);
  if (!gate) {
    return false;
  }
  if (detail_.released_boottime == 0) {
    detail_.released_boottime = sys::boot_time().count();
  }
  set_state(State::Service);
  table_.write(slot_, detail_);
  LastRun last = table_.last_run();
  if (last.run_id == entry_.run_id && last.open != 0) {
    last.open = 0;
    table_.write(last);
  }
  sys::unlock_byte(table_.fd(), kLaneByte);
  auto entries = table_.entries(std::max<std::size_t>(table_.header().high, slot_ + 1));
  (void)grant_next(table_, entries, slot_);
  wake_sleepers();
  table_.ring();
  return true;
} catch (const std::exception&) {
  return false;
}

std::chrono::milliseconds Ticket::released_after() const noexcept try {
  const auto known = detail_.released_boottime != 0 ? std::optional{detail_}
                                                    : table_.detail(slot_, entry_.sequence);
  if (!known || known->released_boottime == 0) {
    return {};
  }
  const std::chrono::nanoseconds held{known->released_boottime - known->started_boottime};
  return std::max(std::chrono::milliseconds{1},
                  std::chrono::floor<std::chrono::milliseconds>(held));
} catch (const std::exception&) {
  return {};
}

void Ticket::note_idle() noexcept try {
  LastRun last = table_.last_run();
  if (last.run_id == entry_.run_id) {
    last.ran = ran_before_;
    table_.write(last);
  }
} catch (const std::exception&) {
  // Nobody takes a result from before us, then.
}

void Ticket::set_tool(const sys::ProcessId& tool) noexcept {
  detail_.tool_pid = tool.pid;
  detail_.tool_start = tool.start;
  try {
    table_.write(slot_, detail_);  // only we write our detail, so no gate
  } catch (const std::exception&) {
    // For show only.
  }
}

void Ticket::close_record(const std::vector<Kept>& kept) noexcept {
  if (life_ != Life::Started) {
    return;  // a service that is on no list
  }
  try {
    const Gate gate{table_, Patience::Always};
    auto entries = table_.entries(table_.header().high);
    LastRun last = table_.last_run();
    if (last.run_id == entry_.run_id && last.open != 0) {
      last.open = 0;
      table_.write(last);
    }
    add_kept(kept);
    if (slot_ < entries.size() && entries[slot_].sequence == entry_.sequence) {
      if (entries[slot_].state == State::Background) {
        end_background();
      }
      entries[slot_] = Entry{};
      table_.write(slot_, entries[slot_]);
      const auto current = grant_next(table_, entries, std::nullopt);
      rings_ = current && entries[*current].state == State::Beside;
    }
  } catch (const std::exception&) {
    // A full disk or a removed directory: letting the bytes go ends the run all the same,
    // and the next ticket finds an open record of a run without members.
  }
}

void Ticket::write_down(const std::vector<Kept>& kept) const noexcept try {
  const Gate gate{table_, Patience::Always};
  add_kept(kept);
} catch (const std::exception&) {
  // For show only.
}

void Ticket::release() noexcept {
  life_ = Life::Over;
  sys::unlock_byte(table_.fd(), kLaneByte);
  sys::unlock_byte(table_.fd(), slot_byte(slot_));
  if (rings_) {
    table_.ring();
  }
}

Place Ticket::place() const {
  Place place;
  place.header = table_.header();
  const auto entries = table_.entries(place.header.high);
  const auto order = waiting_order(entries);
  place.waiting = order.size();
  const auto mine = entry_.sequence == 0 ? order.end() : std::ranges::find(order, slot_);
  place.position = static_cast<std::size_t>(mine - order.begin()) + 1;
  if (const auto current = current_slot(entries)) {
    place.is_next = *current == slot_;
    if (entries[*current].state == State::Granted) {
      place.position = place.is_next ? 1 : place.position + 1;
      ++place.waiting;
    }
    place.holder = entries[*current];
    place.holder_detail = table_.detail(*current, entries[*current].sequence);
    place.holder_state = entries[*current].state;
    if (place.holder_state == State::Background) {
      place.background = background_of(table_, entries[*current].run_id);
    }
  }
  return place;
}

}  // namespace onelane::lane
