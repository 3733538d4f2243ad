#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/orphans.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// Questions about runs by their id. Each member may be empty: then the answer is not known.
struct RunBook {
  std::function<bool(std::string_view run_id)> has;  ///< Is it a run of this project?
  std::function<std::optional<process::RunTraits>(std::string_view run_id)> traits;
  std::function<std::optional<uid_t>(std::string_view run_id)> owner;  ///< The user it ran as.
  std::function<std::string(std::string_view run_id)> command;  ///< For people; may be empty.
  std::function<std::string(std::string_view run_id)> project;  ///< Its root; empty: not known.
  /// When it ended, in milliseconds since the epoch; nothing without a record of its end.
  std::function<std::optional<std::int64_t>(std::string_view run_id)> ended;
};

/// Answers from the lanes (tickets, last run, kept processes), and from the journal for the rest.
/// Each run is looked up in the journal once. `lanes` must outlive it.
[[nodiscard]] RunBook run_book(const LanesHere& lanes);

/// Ids of the live runs of `lanes` that no longer wait. A run of this process is among them only if
/// the process has the lane open by a second open file description as well.
[[nodiscard]] std::vector<std::string> live_runs_of(const LanesHere& lanes);

/// Ids of the live runs of `lanes` and of every lane that a onelane process has open, as far as
/// this user may read its /proc entry.
[[nodiscard]] std::vector<std::string> live_runs(const LanesHere* lanes);

/// True if the executable of the process is onelane; false if this user may not look.
[[nodiscard]] bool is_onelane_process(pid_t pid);

/// The processes that runs in `lanes` left running on purpose and that are still alive.
[[nodiscard]] std::vector<lane::Kept> kept_by(const LanesHere& lanes);

/// The rules of `onelane orphans`. `lanes` may be null: with no project here, the runs of any
/// project count. Both must outlive the rules.
[[nodiscard]] process::OrphanRules orphan_rules(const LanesHere* lanes, const RunBook& book);

}  // namespace onelane::multicall
