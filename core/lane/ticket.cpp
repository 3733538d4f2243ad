#include "core/lane/ticket.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/lane/left.hpp"
#include "core/lane/live.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"

namespace onelane::lane {
namespace {

constexpr std::size_t kMostWatches = 32;

}  // namespace

Ticket::Ticket(const Table& table, const TicketInfo& info)
    : table_{table}, entry_{make_entry(info)}, detail_{make_detail(info)} {}

Ticket::~Ticket() {
  if (life_ == Life::Queued) {
    leave();
  } else if (life_ == Life::Started) {
    close_record({});
    release();
  }
}

// The lowest free slot, so that the part of the table in use stays short. With a thousand owners it
// takes the kernel some microseconds to tell whether one lives: those in the queue, which the next
// grants clear if they are dead, are only asked about when all slots are taken.
bool Ticket::claim_slot(Header& header, std::vector<Entry>& entries, std::uint64_t sequence) {
  const auto may_take = [&](std::size_t slot, bool is_full) {
    const State state = slot < entries.size() ? entries[slot].state : State::Free;
    const bool is_queued =
        state == State::Waiting || state == State::Granted || state == State::Running;
    // Clearing a dead ticket that ran beside the holder is left to grant_next().
    return state == State::Free ||
           (state != State::Beside && (!is_queued || is_full) && !table_.is_alive(slot));
  };
  for (const bool is_full : {false, true}) {
    for (std::size_t slot = 0; slot < table_.slots(); ++slot) {
      if (may_take(slot, is_full) &&
          sys::try_lock_bytes(table_.fd(), ticket_byte(slot, sequence), slot_byte(slot))) {
        take_slot(slot, header, entries);
        return true;
      }
    }
  }
  return false;
}

void Ticket::take_slot(std::size_t slot, Header& header, std::vector<Entry>& entries) {
  slot_ = slot;
  if (slot < entries.size()) {
    remember(table_, header, slot, entries[slot]);  // of a dead owner
    entries[slot] = Entry{};
  }
  while (!entries.empty() && entries.back().state == State::Free) {
    entries.pop_back();
  }
  entries.resize(std::max(entries.size(), slot + 1));
  header.high = static_cast<std::uint32_t>(entries.size());
}

bool Ticket::take_place(Header& header, std::vector<Entry>& entries) {
  own_file(table_, header, entries);
  remember_dead(table_, header, entries, entry_);
  const auto old = find_left(table_, header, entries, entry_);
  const std::uint64_t sequence = old ? old->left.sequence : header.next_sequence;
  if (!claim_slot(header, entries, sequence)) {
    return false;
  }
  rejoined_ = old.has_value();
  entry_.sequence = detail_.sequence = sequence;
  if (old) {
    entry_.priority = old->left.priority;
    entry_.overtaken = old->left.overtaken;
  } else {
    ++header.next_sequence;
  }
  table_.write(header);
  table_.write(slot_, detail_);
  table_.write(slot_, entry_);
  if (old) {
    table_.write(old->index, Left{});  // last: if we are killed before, our place is the one kept
  }
  entries[slot_] = entry_;
  return true;
}

// The watch comes before the look that is followed by the first sleep, so that no ring is missed.
Step Ticket::advance(bool may_start) {
  const Step step = look(may_start);
  const bool is_next = step == Step::Held || step == Step::Ready;
  const bool may_watch = is_next || (step == Step::Waiting && waiting_ <= kMostWatches);
  if (!may_watch || !std::exchange(wants_watch_, false)) {
    return step;
  }
  start_watch();
  return watch_.is_open() ? look(may_start) : step;
}

Step Ticket::look(bool may_start) {
  if (!table_.is_current()) {
    return Step::Gone;
  }
  rung_ = table_.rung_at();
  if (waits_at_gate()) {
    return Step::GateHeld;
  }
  if (const auto target = next_target()) {
    if (target != target_ || (sleeper_ && sleeper_->is_done())) {
      cancel_sleep();
      target_ = target;
    }
    return Step::Waiting;
  }
  try {
    const auto gate = enter_gate(Patience::UntilSignal);
    return gate ? advance_inside(*gate, may_start) : Step::GateHeld;
  } catch (const sys::SystemError&) {
    if (table_.is_current()) {
      throw;
    }
    return Step::Gone;  // removed since we looked, with its gate
  }
}

Step Ticket::advance_inside(const Gate& /*gate*/, bool may_start) {
  Header header = table_.header();
  const std::size_t own_end = entry_.sequence == 0 ? 0 : slot_ + 1;
  auto entries = table_.entries(std::max<std::size_t>(header.high, own_end));
  if (entry_.sequence == 0) {
    if (!take_place(header, entries)) {
      const auto current = grant_next(table_, entries, std::nullopt);
      const std::size_t slot = current.value_or(0);
      note_turn(entries, current);
      target_ = target_at(slot, entries[slot].sequence);
      return Step::Waiting;
    }
  } else if (slot_ >= header.high || entries[slot_].sequence != entry_.sequence) {
    // The header or our entry was damaged or wrongly cleared; our byte proves that we live.
    header.high = static_cast<std::uint32_t>(entries.size());
    header.next_sequence = std::max(header.next_sequence, entry_.sequence + 1);
    table_.write(header);
    if (entries[slot_].sequence != entry_.sequence) {
      table_.write(slot_, entry_);
      entries[slot_] = entry_;
    }
  }
  entry_ = entries[slot_];
  if (entry_.state == State::Cancelled) {
    return Step::Cancelled;
  }
  const auto current = grant_next(table_, entries, slot_);
  note_turn(entries, current);
  entry_ = entries[slot_];
  if (current == slot_) {
    return may_start || header.held != 0 ? try_start(header) : Step::Ready;
  }
  if (current) {
    const std::size_t slot = living_predecessor_of(table_, entries, slot_).value_or(*current);
    target_ = target_at(slot, entries[slot].sequence);
  }
  return Step::Waiting;
}

Step Ticket::try_start(const Header& header) {
  if (header.held != 0) {
    return Step::Held;
  }
  if (!sys::try_lock_byte(table_.fd(), kLaneByte, sys::LockKind::Write)) {
    // A dying process releases its locks one after another; its slot byte went first.
    target_ = Target{kLaneByte, sys::LockKind::Write, 0};
    return Step::Waiting;
  }
  if (!table_.is_current()) {
    return Step::Gone;
  }
  const LastRun last = table_.last_run();
  ran_before_ = table_.is_own(last) ? last.ran : RunId{};
  if (last.run_id != entry_.run_id && was_killed(table_, last)) {
    unsettled_ = last;
  }
  life_ = Life::Started;
  if (!unsettled_) {
    write_running();
  }
  return Step::Started;
}

void Ticket::write_running() {
  set_state(State::Running);
  detail_.started_boottime = sys::boot_time().count();
  detail_.started_wall = sys::wall_seconds();
  table_.write(slot_, detail_);
  table_.write(open_record_of(table_, entry_, detail_));
}

Begun Ticket::begin() {
  if (!unsettled_) {
    return Begun::Yes;
  }
  const auto gate = enter_gate(Patience::Always);
  if (!gate) {
    return Begun::GateHeld;
  }
  const auto entries = table_.entries(slot_ + 1);
  if (entries[slot_].sequence == entry_.sequence && entries[slot_].state == State::Cancelled) {
    return Begun::Cancelled;
  }
  if (const auto another = take_killed(table_)) {
    unsettled_ = another;
    return Begun::NotYet;
  }
  write_running();
  unsettled_.reset();
  return Begun::Yes;
}

void Ticket::set_state(State state) {
  entry_.state = state;
  table_.write(slot_, entry_);
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
  bool was_full = false;
  try {
    const auto gate = is_gate_held ? std::nullopt : Gate::try_enter(table_, Patience::Always);
    Header header = table_.header();
    auto entries = table_.entries(header.high);
    if (gate && slot_ < entries.size() && entries[slot_].sequence == entry_.sequence) {
      if (how == Leaving::MayRejoin) {
        remember(table_, header, slot_, entries[slot_]);
      }
      was_full = std::ranges::find(entries, State::Free, &Entry::state) == entries.end() &&
                 entries.size() == table_.slots();
      entries[slot_] = Entry{};
      table_.write(slot_, entries[slot_]);
      (void)grant_next(table_, entries, std::nullopt);
    }
  } catch (const std::exception&) {
    // As when the gate is held: the byte below is what counts, and a record without it is dead.
  }
  free_bytes();
  if (was_full) {
    table_.ring();  // calls without a place sleep on no ticket that is about to leave
  }
}

void Ticket::set_above(const std::vector<Above>& above) {
  std::string lanes;
  detail_.ancestor_count = 0;
  for (const Above& run : above) {
    // Ancestors that do not fit are left out: a cycle through one of them is then found only from
    // its other end.
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
  own_file(table_, header, entries);
  if (!claim_slot(header, entries, header.next_sequence)) {
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

// At every step some process still takes care of the rest: the next ticket of an open record, the
// guardian of the lane byte, which it shares.
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
  free_ticket_byte();
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
  // No call may take a result from a run before us.
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
    return;  // a service that is not listed
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
    // The disk is full or the directory was removed: releasing the bytes ends the run all the same,
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
  free_bytes();
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

void Ticket::add_kept(const std::vector<Kept>& kept) const {
  if (kept.empty()) {
    return;
  }
  auto list = living_kept(table_);
  std::erase_if(list, [&](const Kept& old) {
    return std::ranges::any_of(
        kept, [&](const Kept& fresh) { return fresh.pid == old.pid && fresh.start == old.start; });
  });
  list.insert(list.end(), kept.begin(), kept.end());
  table_.write_kept(list);
}

// Processes that still run after the last lane call has ended are kept like any others.
void Ticket::end_background() const {
  auto list = table_.kept();
  std::erase_if(list, [&](Kept& kept) {
    if (kept.run_id != entry_.run_id || kept.is_background == 0) {
      return false;
    }
    kept.is_background = 0;
    const auto stat = sys::read_stat(kept.pid);
    return !stat || stat->id.start != kept.start || stat->has_ended();
  });
  table_.write_kept(list);
}

// In this order: a reader that sees the run in the background must find its processes recorded.
bool Ticket::go_on_in_background(const std::vector<Kept>& kept,
                                 const sys::ProcessId& keeper) noexcept try {
  const Gate gate{table_, Patience::Always};
  const auto entries = table_.entries(std::max<std::size_t>(table_.header().high, slot_ + 1));
  LastRun last = table_.last_run();
  if (entries[slot_].sequence != entry_.sequence || !holds_lane(entries[slot_].state) ||
      last.run_id != entry_.run_id || last.open == 0) {
    return false;
  }
  add_kept(kept);
  last.supervisor_pid = keeper.pid;
  last.supervisor_start = keeper.start;
  table_.write(last);
  entry_ = entries[slot_];
  entry_.pid = keeper.pid;
  entry_.start = keeper.start;
  set_state(State::Background);
  table_.ring();
  return true;
} catch (const std::exception&) {
  return false;
}

}  // namespace onelane::lane
