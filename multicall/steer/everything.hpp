#pragma once

#include <string>
#include <vector>

#include "core/queue/store.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {

/// `onelane stop --everything`: ends everything of this project's runs, of every user: the queue,
/// waiting calls, the holder, services, and what runs left behind or kept. Then looks again and
/// reports what is still there.
///
/// Asks first unless `yes`. Signals only processes that carry the id of a run of this project or
/// that such a run has written down (see OrphanRules); on a lane that several projects share this
/// leaves out the queue and the runs of other projects. Sessions with a terminal of their own, the
/// caller and its ancestors are spared and named. Blocks as end_run() does, for each run. Returns
/// the exit code: 0 only if the second look finds nothing.
[[nodiscard]] int stop_everything(const LanesHere& lanes, bool yes, bool as_json);

/// A snapshot of what is alive of a project's runs.
struct Remainder {
  bool queue_runs = false;  ///< The caller's queue is being run.
  bool has_unknown_holder = false;
  std::vector<Found> waiting;
  std::vector<Found> started;
  process::OrphanScan processes;     ///< Sorted for Occasion::Everything.
  std::vector<lane::Kept> unproven;  ///< Known only from a record that other users may write.
  [[nodiscard]] bool is_empty() const {
    return !queue_runs && !has_unknown_holder && waiting.empty() && started.empty() &&
           processes.orphans.empty() && processes.kept.empty() && unproven.empty();
  }
};

/// Finds what is alive of the current directory's project. On a lane that several projects share,
/// it counts only runs that are known to be of this project, and leaves the queue out. `lanes` must
/// outlive it. Reads /proc and the lane; does not block otherwise.
class RemainderFinder {
 public:
  explicit RemainderFinder(const LanesHere& lanes);
  [[nodiscard]] Remainder look() const;
  [[nodiscard]] bool is_ours(const Found& found) const;
  /// The rules for the processes in look().
  [[nodiscard]] process::OrphanRules rules() const;

 private:
  const LanesHere& lanes_;
  const RunBook book_;
  const queue::Store store_;
  bool is_shared_ = false;
};

}  // namespace onelane::multicall
