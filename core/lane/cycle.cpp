#include "core/lane/cycle.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace onelane::lane {
namespace {

constexpr int kDeepest = 10;
constexpr std::size_t kMostNodes = 256;

/// A run found on the way back from the ticket's own ancestors, and what led to it.
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
                 : std::string{"a run that has ended"};
}

/// The runs that a waiting ticket waits for: the current run and those beside it.
std::vector<RunId> runs_with_lane(const std::vector<Entry>& entries) {
  std::vector<RunId> out;
  for (const Entry& entry : entries) {
    if (has_lane(entry.state) || entry.state == State::Granted) {
      out.push_back(entry.run_id);
    }
  }
  return out;
}

/// The search, from the ticket's own ancestors back along the chain of waits.
class Search {
 public:
  /// `holders` are the runs that the ticket waits for.
  Search(const Ticket& ticket, Detail mine, std::vector<RunId> holders)
      : ticket_{ticket}, mine_{mine}, holders_{std::move(holders)} {
    for (Above& above : ancestors_of(mine_)) {
      open_.push_back({std::move(above), "", 0});
    }
  }

  /// How the holder comes to wait for the ticket's ancestors, as text.
  std::optional<std::string> run() {
    for (std::size_t next = 0; next < open_.size() && next < kMostNodes; ++next) {
      const Node node = open_[next];
      const auto table = Table::open_existing(node.run.lane_file);
      if (table && node.depth < kDeepest) {
        if (auto story = look_at(*table, node)) {
          return story;
        }
      }
    }
    return std::nullopt;
  }

 private:
  /// Every ticket that waits for the run of `node`.
  std::optional<std::string> look_at(const Table& table, const Node& node) {
    const auto entries = table.entries(table.header().high);
    const auto running = runs_with_lane(entries);
    if (std::ranges::find(running, node.run.run_id) == running.end()) {
      return std::nullopt;  // that run has ended
    }
    for (std::size_t slot = 0; slot < entries.size(); ++slot) {
      const auto detail = waiting_detail(table, entries[slot], slot);
      if (!detail) {
        continue;
      }
      const std::string story = words(entries[slot], detail) + " waits for " +
                                holder_words(table, entries) +
                                (node.story.empty() ? "" : "; " + node.story);
      for (Above& above : ancestors_of(*detail)) {
        if (std::ranges::find(holders_, above.run_id) != holders_.end()) {
          return story;
        }
        open_.push_back({std::move(above), story, node.depth + 1});
      }
    }
    return std::nullopt;
  }

  /// The detail of a living waiter older than our ticket. Age is by the clock that all lanes of a
  /// boot share; the run id breaks a tie.
  [[nodiscard]] std::optional<Detail> waiting_detail(const Table& table, const Entry& entry,
                                                     std::size_t slot) const {
    if (entry.state != State::Waiting || !table.is_alive(slot)) {
      return std::nullopt;
    }
    const auto detail = table.detail(slot, entry.sequence);
    const bool is_younger = detail && std::pair{detail->enqueued_boottime, entry.run_id} >
                                          std::pair{mine_.enqueued_boottime, ticket_.run_id()};
    return is_younger ? std::nullopt : detail;
  }

  const Ticket& ticket_;
  const Detail mine_;
  const std::vector<RunId> holders_;
  std::vector<Node> open_;
};

}  // namespace

std::optional<std::string> find_cycle(const Ticket& ticket) {
  const Table& own = ticket.table();
  const auto entries = own.entries(own.header().high);
  const auto current = current_slot(entries);
  const auto mine = own.detail(ticket.slot(), ticket.sequence());
  if (!current || !mine || *current == ticket.slot()) {
    return std::nullopt;
  }
  const auto story = Search{ticket, *mine, runs_with_lane(entries)}.run();
  if (!story) {
    return std::nullopt;
  }
  return "this call waits for " + holder_words(own, entries) + ", below which " + *story +
         ", below which this call was made";
}

}  // namespace onelane::lane
