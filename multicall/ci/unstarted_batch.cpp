#include "multicall/ci/unstarted_batch.hpp"

#include "core/batch/store.hpp"
#include "multicall/queue_view.hpp"

namespace onelane::multicall::ci {

std::vector<std::string> unstarted_entries(const LanesHere& lanes) {
  std::vector<std::string> out;
  for (const batch::Entry& entry : batch::unfinished(lanes.project.state_dir)) {
    std::string words = command_of(entry);
    if (entry.state != batch::State::Queued) {
      words += " (" + std::string{batch::word_of(entry.state)} + ")";
    }
    out.push_back(std::move(words));
  }
  return out;
}

}  // namespace onelane::multicall::ci
