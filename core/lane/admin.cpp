#include "core/lane/admin.hpp"

#include <algorithm>

#include "core/lane/gate.hpp"

namespace onelane::lane {
namespace {

/// Changes the entry of `run_id` if its state is one of `states`.
template <class Change>
bool change_entry(const Table& table, std::string_view run_id, std::initializer_list<State> states,
                  const Change& change) {
  const Gate gate{table, Patience::Always};
  auto entries = table.entries(table.header().high);
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    if (view(entries[slot].run_id) == run_id &&
        std::ranges::find(states, entries[slot].state) != states.end()) {
      change(entries[slot]);
      table.write(slot, entries[slot]);
      table.ring();
      return true;
    }
  }
  return false;
}

}  // namespace

bool cancel(const Table& table, std::string_view run_id) {
  return change_entry(table, run_id, {State::Waiting, State::Parked, State::Granted},
                      [](Entry& entry) { entry.state = State::Cancelled; });
}

bool set_priority(const Table& table, std::string_view run_id, int priority) {
  return change_entry(table, run_id, {State::Waiting, State::Parked}, [&](Entry& entry) {
    entry.priority = static_cast<std::int16_t>(std::clamp(priority, -100, 100));
  });
}

void set_held(const Table& table, bool held) {
  const Gate gate{table, Patience::Always};
  Header header = table.header();
  header.held = held ? 1 : 0;
  table.write(header);
  table.ring();
}

}  // namespace onelane::lane
