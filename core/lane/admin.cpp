#include "core/lane/admin.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>

#include "core/lane/gate.hpp"
#include "core/sys/clock.hpp"

namespace onelane::lane {
namespace {

/// Changes the entry of `run_id` if its state is one of `states`; `change` gets all entries and the
/// slot.
template <class Change>
bool change_entry(const Table& table, std::string_view run_id, std::initializer_list<State> states,
                  const Change& change) {
  const Gate gate = enter_or_name_holder(table);
  auto entries = table.entries();
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (view(entries[slot].run_id) == run_id &&
        std::ranges::find(states, entries[slot].state) != states.end()) {
      change(entries, slot);
      table.write(slot, entries[slot]);
      table.ring();
      return true;
    }
  }
  return false;
}

/// A priority above all other living tickets that wait or will wait again.
std::int16_t priority_before_all(const Table& table, const std::vector<Entry>& entries,
                                 std::size_t own) {
  int highest = std::numeric_limits<std::int16_t>::min();
  bool is_first = entries[own].state == State::Waiting;
  for (const std::size_t slot : waiting_order(entries)) {
    if (slot == own) {
      break;
    }
    is_first = is_first && !table.is_alive(slot);
  }
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const bool waits =
        entries[slot].state == State::Waiting || entries[slot].state == State::Parked;
    if (slot != own && waits && table.is_alive(slot)) {
      highest = std::max<int>(highest, entries[slot].priority);
    }
  }
  const int wanted =
      is_first ? entries[own].priority : std::max<int>(entries[own].priority, highest + 1);
  return static_cast<std::int16_t>(std::min<int>(wanted, std::numeric_limits<std::int16_t>::max()));
}

}  // namespace

bool cancel(const Table& table, std::string_view run_id) {
  return change_entry(table, run_id, {State::Waiting, State::Parked, State::Granted},
                      [](std::vector<Entry>& entries, std::size_t slot) {
                        entries[slot].state = State::Cancelled;
                      });
}

bool set_priority(const Table& table, std::string_view run_id, int priority) {
  return change_entry(table, run_id, {State::Waiting, State::Parked},
                      [&](std::vector<Entry>& entries, std::size_t slot) {
                        entries[slot].priority =
                            static_cast<std::int16_t>(std::clamp(priority, -100, 100));
                      });
}

bool bump(const Table& table, std::string_view run_id) {
  return change_entry(table, run_id, {State::Waiting, State::Parked},
                      [&](std::vector<Entry>& entries, std::size_t slot) {
                        entries[slot].priority = priority_before_all(table, entries, slot);
                      });
}

bool set_held(const Table& table, bool held, std::string_view reason) {
  const Gate gate = enter_or_name_holder(table);
  Header header = table.header();
  if ((header.held != 0) == held) {
    return false;
  }
  header.held = held ? 1 : 0;
  header.held_by = held ? ::getuid() : 0;
  header.held_since = held ? sys::wall_seconds() : 0;
  set_text(header.held_reason, held ? reason : std::string_view{});
  table.write(header);
  table.ring();
  return true;
}

}  // namespace onelane::lane
