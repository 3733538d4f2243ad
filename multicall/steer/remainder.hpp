#pragma once

#include <string>
#include <vector>

#include "core/queue/store.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {

/// What lives of a project: a snapshot.
struct Remainder {
  bool queue_runs = false;  ///< The caller's batch queue.
  bool has_unknown_holder = false;
  std::vector<Found> waiting;
  std::vector<Found> started;
  process::OrphanScan processes;     ///< Sorted for Occasion::Everything.
  std::vector<lane::Kept> unproven;  ///< Only a record that others may write says whose they are.
  [[nodiscard]] bool is_empty() const {
    return !queue_runs && !has_unknown_holder && waiting.empty() && started.empty() &&
           processes.orphans.empty() && processes.kept.empty() && unproven.empty();
  }
};

/// Finds what lives of the project of the current directory. On a lane that several projects share
/// a run is ours only where that can be told, and the batch queue is no project's. `lanes` must
/// outlive it; nothing here blocks but for /proc.
class RemainderFinder {
 public:
  explicit RemainderFinder(const LanesHere& lanes);
  [[nodiscard]] Remainder look() const;
  [[nodiscard]] bool is_ours(const Found& found) const;
  /// Of the processes in look().
  [[nodiscard]] process::OrphanRules rules() const;

 private:
  const LanesHere& lanes_;
  const RunBook book_;
  const queue::Store store_;
  bool is_shared_ = false;
};

}  // namespace onelane::multicall
