// What a run leaves running is written down, and may keep the lane; ticket_life.cpp has the end.
#include <algorithm>

#include "core/lane/live.hpp"
#include "core/lane/ticket.hpp"

namespace onelane::lane {

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

// What still runs when no lane call does is kept as anything else is.
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

// In this order: a reader that sees the run in the background finds its processes written down.
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
