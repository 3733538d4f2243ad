#pragma once

#include <array>
#include <vector>

#include "core/process/run.hpp"

namespace onelane::process {

/// How far a run has come: what its members are sorted for depends on it.
struct Stage {
  bool is_ordered = false;  ///< It was told to end.
  bool is_ending = false;   ///< LINGER is over: what we may not signal is left running.
};

/// The living members of a run, those that live on apart.
struct Sorted {
  std::vector<KeptProcess> kept;
  std::vector<sys::ProcessStat> stragglers;
};

/// The members of a run: the descendants of the calling process, which is a subreaper (prctl(2)),
/// without the children that it had before and without its helpers. Reads /proc at each call.
class Members {
 public:
  /// `run` outlives it. The children of this moment are none of the run's.
  explicit Members(const Run& run);

  void set_tool(const sys::ProcessId& tool) noexcept { tool_ = tool; }
  /// Guardian and canary; -1 for one that is not there.
  void set_helpers(std::array<pid_t, 2> helpers) noexcept { helpers_ = helpers; }
  /// From now on the run spares no more than one that was told to stop.
  void note_cut_short() noexcept { traits_.was_cut_short = 1; }
  [[nodiscard]] bool was_cut_short() const noexcept { return traits_.was_cut_short != 0; }

  /// Parents before children.
  [[nodiscard]] std::vector<sys::ProcessStat> all() const;
  [[nodiscard]] Sorted sort(Stage stage) const;
  /// True when there can be none: an orphan would be our child.
  [[nodiscard]] bool are_gone() const;
  /// A call on its way to its tool is taken for what it is now; true while one of `kept` may be
  /// such a call.
  [[nodiscard]] bool may_become_lane_call(const std::vector<KeptProcess>& kept) const;

 private:
  [[nodiscard]] bool lives_on(const sys::ProcessStat& stat, Leftover leftover, Stage stage) const;

  const Run& run_;
  RunTraits traits_;  ///< The run's, and whether it was cut short.
  std::vector<sys::ProcessId> prior_;
  sys::ProcessId tool_;
  std::array<pid_t, 2> helpers_{-1, -1};
};

/// We may not signal it: sudo's, say.
[[nodiscard]] bool is_out_of_reach(pid_t pid) noexcept;

}  // namespace onelane::process
