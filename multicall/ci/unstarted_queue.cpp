#include "multicall/ci/unstarted_queue.hpp"

#include "core/queue/store.hpp"
#include "multicall/queue/queue_view.hpp"

namespace onelane::multicall::ci {

std::vector<std::string> unstarted_entries(const LanesHere& lanes) {
  std::vector<std::string> out;
  for (const queue::Entry& entry : queue::unfinished(lanes.project.state_dir)) {
    std::string words = command_of(entry);
    if (entry.state != queue::State::Queued) {
      words += " (" + std::string{queue::word_of(entry.state)} + ")";
    }
    out.push_back(std::move(words));
  }
  return out;
}

}  // namespace onelane::multicall::ci
