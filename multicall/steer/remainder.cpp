#include "multicall/steer/remainder.hpp"

#include <algorithm>

#include "multicall/context/place.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall {

RemainderFinder::RemainderFinder(const LanesHere& lanes)
    : lanes_{lanes}, book_{run_book(lanes)}, store_{lanes.project.state_dir} {
  const auto own = project_here();
  is_shared_ = !own || own->state_dir != lanes.project.state_dir;
}

bool RemainderFinder::is_ours(const Found& found) const {
  if (!is_shared_) {
    return true;
  }
  const auto detail = found.table->detail(found.ticket.slot, found.ticket.entry.sequence);
  const auto project =
      detail ? project::find({detail->directory.data(), std::nullopt}) : std::nullopt;
  return project && project->root == lanes_.project.root;
}

process::OrphanRules RemainderFinder::rules() const {
  process::OrphanRules rules = orphan_rules(&lanes_, book_);
  rules.occasion = process::Occasion::Everything;
  if (is_shared_) {
    rules.is_wanted = [this](std::string_view id) {
      return book_.project(id) == lanes_.project.root;
    };
  }
  return rules;
}

Remainder RemainderFinder::look() const {
  Remainder out;
  out.queue_runs = !is_shared_ && store_.is_started();
  out.has_unknown_holder = std::ranges::any_of(lanes_.tables, &is_holder_unknown);
  for (const Found& found : find_tickets(lanes_)) {
    if (is_ours(found)) {
      (found.has_started() ? out.started : out.waiting).push_back(found);
    }
  }
  const process::OrphanRules rules = this->rules();
  out.processes = process::OrphanWatch{rules}.scan();
  for (const lane::Kept& kept : kept_by(lanes_)) {
    const auto is_it = [&](const process::Orphan& o) { return o.stat.id.pid == kept.pid; };
    if (rules.is_wanted(lane::view(kept.run_id)) &&
        std::ranges::none_of(out.processes.orphans, is_it) &&
        std::ranges::none_of(out.processes.kept, is_it)) {
      out.unproven.push_back(kept);
    }
  }
  return out;
}

}  // namespace onelane::multicall
