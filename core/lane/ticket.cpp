#include "core/lane/ticket.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/lane/left.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"

namespace onelane::lane {
namespace {

Detail make_detail(const TicketInfo& info) {
  Detail detail;
  detail.enqueued_boottime = sys::boot_time().count();
  detail.enqueued_wall = sys::wall_seconds();
  set_text(detail.tool, info.tool);
  set_text(detail.command, info.command);
  set_text(detail.directory, info.directory);
  set_text(detail.terminal, info.terminal);
  set_text(detail.agent, info.agent);
  set_text(detail.until, info.until);
  detail.may_prompt = info.may_prompt ? 1 : 0;
  detail.reads_input = info.reads_input ? 1 : 0;
  detail.context = info.context;
  detail.call_key = info.call_key;
  return detail;
}

Entry make_entry(const TicketInfo& info) {
  Entry entry;
  entry.state = State::Waiting;
  entry.priority = static_cast<std::int16_t>(std::clamp(info.priority, -100, 100));
  const sys::ProcessId self = sys::self_id();
  entry.pid = self.pid;
  entry.start = self.start;
  entry.pid_namespace = sys::pid_namespace();
  entry.boot = static_cast<std::uint32_t>(sys::boot_id());
  entry.uid = ::getuid();
  entry.run_id = new_run_id();
  entry.rejoin_key = info.rejoin_key;
  entry.rejoin_ms = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(info.rejoin.count(), 0, std::numeric_limits<std::uint32_t>::max()));
  return entry;
}

/// Makes the file this lane's. What a copied one says of tickets, places and kept processes is
/// about those of another lane, which go on there.
void own_file(const Table& table, Header& header, std::vector<Entry>& entries) {
  if (table.is_copy(header)) {
    for (std::size_t slot = 0; slot < entries.size(); ++slot) {
      if (entries[slot].state != State::Free && !table.is_alive(slot)) {
        entries[slot] = Entry{};
        table.write(slot, entries[slot]);
      }
    }
    for (std::size_t index = 0; index < kLeftSlots; ++index) {
      table.write(index, Left{});
    }
    header.left = 0;
    table.write_kept({});
  }
  header.file = table.id();
}

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

bool Ticket::claim_slot(Header& header, std::vector<Entry>& entries) {
  own_file(table_, header, entries);
  remember_dead(table_, header, entries);  // before their slots get another owner
  // Round robin, so that a waiter about to sleep on a byte does not find a newcomer behind
  // it; the walk starts over whenever nobody is left who could sleep.
  bool idle = true;
  const auto is_free = [&](std::size_t slot) {
    const State state = entries[slot].state;
    // A dead one that ran beside is for grant_next() to clear away.
    return state == State::Free || (state != State::Beside && !table_.is_alive(slot));
  };
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    idle = idle && is_free(slot);
  }
  const std::size_t first = idle ? 0 : header.cursor;
  for (std::size_t tried = 0; tried < table_.slots(); ++tried) {
    const std::size_t slot = (first + tried) % table_.slots();
    if ((slot >= entries.size() || is_free(slot)) &&
        sys::try_lock_byte(table_.fd(), slot_byte(slot), sys::LockKind::Write)) {
      slot_ = slot;
      header.cursor = static_cast<std::uint32_t>((slot + 1) % table_.slots());
      header.high =
          static_cast<std::uint32_t>(std::max<std::size_t>(idle ? 0 : header.high, slot + 1));
      entries.resize(header.high);
      return true;
    }
  }
  return false;
}

bool Ticket::take_place(Header& header, std::vector<Entry>& entries) {
  if (!claim_slot(header, entries)) {
    return false;
  }
  const auto old = find_left(table_, header, entries, entry_);
  rejoined_ = old.has_value();
  if (old) {
    entry_.sequence = old->left.sequence;
    entry_.priority = old->left.priority;
    entry_.overtaken = old->left.overtaken;
  } else {
    entry_.sequence = header.next_sequence++;
  }
  detail_.sequence = entry_.sequence;
  table_.write(header);
  table_.write(slot_, detail_);
  table_.write(slot_, entry_);
  if (old) {
    table_.write(old->index, Left{});  // last: killed before, we are the one who left
  }
  entries[slot_] = entry_;
  return true;
}

Step Ticket::advance(bool may_start) {
  if (!table_.is_current()) {
    return Step::Gone;
  }
  handover_ = false;
  if (waits_at_gate()) {
    return Step::GateHeld;
  }
  if (const auto target = next_target()) {
    handover_ = target_ && target_->sequence != target->sequence;
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
    return Step::Gone;  // removed since we looked, and the gate with it
  }
}

// With fifty waiting, everybody wakes at a hand-over and only one has anything to write:
// the others read who is current now and go back to sleep without the gate.
std::optional<Ticket::Target> Ticket::next_target() const {
  if (entry_.sequence == 0) {
    return std::nullopt;
  }
  bool torn = false;
  const auto entries = table_.entries(table_.header().high, &torn);
  const auto current = current_slot(entries);
  const bool mine_is_whole = slot_ < entries.size() && entries[slot_].sequence == entry_.sequence &&
                             entries[slot_].state == State::Waiting;
  if (torn || !current || !mine_is_whole) {
    return std::nullopt;
  }
  const Target target{slot_byte(*current), sys::LockKind::Read, entries[*current].sequence};
  const bool he_has_died = target == target_ && sleeper_ && sleeper_->is_done();
  return he_has_died ? std::nullopt : std::optional{target};
}

bool Ticket::waits_at_gate() const noexcept {
  return target_ && target_->is_gate && sleeper_ && sleeper_->is_running() && !sleeper_->is_done();
}

// Held, it is slept at as at a byte: the lock of a process stands in the way of ours, which
// belongs to the description.
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

Step Ticket::advance_inside(const Gate& /*gate*/, bool may_start) {
  Header header = table_.header();
  const std::size_t own_end = entry_.sequence == 0 ? 0 : slot_ + 1;
  auto entries = table_.entries(std::max<std::size_t>(header.high, own_end));
  if (entry_.sequence == 0) {
    if (!take_place(header, entries)) {
      const auto current = grant_next(table_, entries, std::nullopt);
      const std::size_t slot = current.value_or(0);
      target_ = Target{slot_byte(slot), sys::LockKind::Read, entries[slot].sequence};
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
  entry_ = entries[slot_];
  if (current == slot_) {
    return may_start || header.held != 0 ? try_start(header) : Step::Ready;
  }
  if (current) {
    target_ = Target{slot_byte(*current), sys::LockKind::Read, entries[*current].sequence};
  }
  return Step::Waiting;
}

Step Ticket::try_start(const Header& header) {
  if (header.held != 0) {
    return Step::Held;
  }
  if (!sys::try_lock_byte(table_.fd(), kLaneByte, sys::LockKind::Write)) {
    // A dying process lets its locks go one after another; its slot went first.
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

}  // namespace onelane::lane
