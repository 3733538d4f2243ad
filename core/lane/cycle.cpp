#include "core/lane/cycle.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace onelane::lane {
namespace {

constexpr int kDeepest = 10;

/// A run on the way back from the ticket's own ancestors, and who made us look at it.
struct Node {
  Above run;
  std::string story;
  int depth = 0;
};

std::vector<Above> ancestors_of(const Detail& detail) {
  std::vector<Above> out;
  const char* lane = detail.ancestor_lanes.data();
  const char* const end = lane + detail.ancestor_lanes.size();
  for (std::uint32_t i = 0; i < detail.ancestor_count && i < detail.ancestors.size(); ++i) {
    const std::size_t length = ::strnlen(lane, static_cast<std::size_t>(end - lane));
    out.push_back({detail.ancestors[i], std::string{lane, length}});
    lane += std::min<std::ptrdiff_t>(end - lane, static_cast<std::ptrdiff_t>(length) + 1);
  }
  return out;
}

/// "make test (pid 12, /src/a)".
std::string words(const Entry& entry, const std::optional<Detail>& detail) {
  std::string text = detail ? std::string{detail->command.data()} : std::string{"a call"};
  text += " (pid " + std::to_string(entry.pid);
  if (detail && detail->directory[0] != '\0') {
    text.append(", ").append(detail->directory.data());
  }
  return text + ")";
}

std::string holder_words(const Table& table, const std::vector<Entry>& entries) {
  const auto current = current_slot(entries);
  return current ? words(entries[*current], table.detail(*current, entries[*current].sequence))
                 : std::string{"nobody"};
}

/// Younger: came later, by the clock that all lanes of a boot share; the run id breaks a tie.
bool is_younger(const Detail& a, const RunId& a_id, const Detail& b, const RunId& b_id) {
  return std::pair{a.enqueued_boottime, a_id} > std::pair{b.enqueued_boottime, b_id};
}

}  // namespace

std::optional<std::string> find_cycle(const Ticket& ticket) {
  const Table& own = ticket.table();
  const auto own_entries = own.entries(own.header().high);
  const auto current = current_slot(own_entries);
  const auto mine = own.detail(ticket.slot(), ticket.sequence());
  if (!current || !mine || *current == ticket.slot()) {
    return std::nullopt;
  }
  const RunId holder = own_entries[*current].run_id;
  const std::string last = holder_words(own, own_entries);
  std::vector<Node> open;
  for (Above& above : ancestors_of(*mine)) {
    open.push_back({std::move(above), "", 0});
  }
  for (std::size_t next = 0; next < open.size() && next < 256; ++next) {
    const Node node = open[next];
    const auto table = Table::open_existing(node.run.lane_file);
    if (!table || node.depth >= kDeepest) {
      continue;
    }
    const auto entries = table->entries(table->header().high);
    const auto running = current_slot(entries);
    if (!running || entries[*running].run_id != node.run.run_id) {
      continue;  // that run has ended
    }
    for (std::size_t slot = 0; slot < entries.size(); ++slot) {
      const auto detail = entries[slot].state == State::Waiting
                              ? table->detail(slot, entries[slot].sequence)
                              : std::nullopt;
      if (!detail || !table->is_alive(slot) ||
          is_younger(*detail, entries[slot].run_id, *mine, ticket.run_id())) {
        continue;
      }
      const std::string story = words(entries[slot], detail) + " waits for " +
                                holder_words(*table, entries) +
                                (node.story.empty() ? "" : "; " + node.story);
      for (Above& above : ancestors_of(*detail)) {
        if (above.run_id == holder) {
          return "this call waits for " + last + ", below which " + story +
                 ", below which this call was made";
        }
        open.push_back({std::move(above), story, node.depth + 1});
      }
    }
  }
  return std::nullopt;
}

}  // namespace onelane::lane
