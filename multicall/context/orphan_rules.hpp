#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/orphans.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// What is known of runs; each may be empty, and then knows nothing.
struct RunBook {
  std::function<bool(std::string_view run_id)> has;  ///< One of this project.
  std::function<std::optional<process::RunTraits>(std::string_view run_id)> traits;
  std::function<std::optional<uid_t>(std::string_view run_id)> owner;  ///< The user it ran as.
  std::function<std::string(std::string_view run_id)> command;  ///< For people; may be empty.
  std::function<std::string(std::string_view run_id)> project;  ///< Its root; empty: not known.
  /// When it ended, in milliseconds since the epoch; nothing where no record says so.
  std::function<std::optional<std::int64_t>(std::string_view run_id)> ended;
};

/// What the lanes themselves know (their tickets, their last run, whom they keep), and the
/// journal for the rest; what the journal has said of a run is remembered. `lanes` must
/// outlive it.
[[nodiscard]] RunBook run_book(const LanesHere& lanes);

/// Ids of the live runs of `lanes`. The calling process's own counts when it has its lane open
/// by another description too.
[[nodiscard]] std::vector<std::string> live_runs_of(const LanesHere& lanes);

/// Ids of the live runs of `lanes` and of every lane that a onelane process we may look into
/// holds open.
[[nodiscard]] std::vector<std::string> live_runs(const LanesHere* lanes);

/// True for a process whose executable is onelane, false where we may not look.
[[nodiscard]] bool is_onelane_process(pid_t pid);

/// The processes that `lanes` keep, those that still live.
[[nodiscard]] std::vector<lane::Kept> kept_by(const LanesHere& lanes);

/// The rules of `onelane orphans`. `lanes` may be null (no project here: any run is wanted);
/// what is given must outlive the rules.
[[nodiscard]] process::OrphanRules orphan_rules(const LanesHere* lanes, const RunBook& book);

}  // namespace onelane::multicall
