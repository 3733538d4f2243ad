// A ticket that starts beside the holder, as part of its pipeline, and takes the lane over.
#include "core/lane/ticket.hpp"
#include "core/sys/clock.hpp"

namespace onelane::lane {

bool Ticket::start_beside(const RunId& holder) {
  if (entry_.sequence == 0 || life_ != Life::Queued) {
    return false;
  }
  const auto gate = enter_gate(Patience::UntilSignal);
  if (!gate) {
    return false;
  }
  const auto entries = table_.entries(table_.header().high);
  const auto current = current_slot(entries);
  if (!table_.is_current() || !current || *current == slot_ || entries[*current].run_id != holder ||
      !table_.is_alive(*current) || slot_ >= entries.size() ||
      entries[slot_].sequence != entry_.sequence || entries[slot_].state != State::Waiting) {
    return false;
  }
  if (entries[*current].state == State::Granted && was_killed(table_, table_.last_run())) {
    return false;  // it clears away after the killed run first
  }
  entry_ = entries[slot_];
  detail_.pipeline_of = holder;
  detail_.started_boottime = sys::boot_time().count();
  detail_.started_wall = sys::wall_seconds();
  table_.write(slot_, detail_);
  set_state(State::Beside);
  life_ = Life::Started;
  table_.ring();  // a waiting call may be part of the pipeline through us
  return true;
}

// From the holder's end on, the table keeps every other call from starting, even if we never get
// here. Taking over adds the lane's byte, which shows that the lane is held to processes that do
// not read the table, and the record.
bool Ticket::take_over() noexcept try {
  const auto gate = Gate::try_enter(table_, Patience::Always);
  if (!gate) {
    return false;
  }
  const auto entries = table_.entries(table_.header().high);
  if (slot_ >= entries.size() || entries[slot_].sequence != entry_.sequence ||
      entries[slot_].state != State::Beside) {
    return true;  // it has become a service, or the table is damaged
  }
  if (current_slot(entries) != slot_ ||
      !sys::try_lock_byte(table_.fd(), kLaneByte, sys::LockKind::Write)) {
    return false;
  }
  const LastRun last = table_.last_run();
  if (last.run_id != entry_.run_id && was_killed(table_, last)) {
    return true;  // the holder was killed with its guardian: the next ticket clears away after it
  }
  set_state(State::Running);
  table_.write(open_record_of(table_, entry_, detail_));
  return true;
} catch (const std::exception&) {
  return false;
}

}  // namespace onelane::lane
