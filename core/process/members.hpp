#pragma once

#include <array>
#include <string>
#include <vector>

#include "core/process/run.hpp"

namespace onelane::process {

/// How far a run has come, which decides how its members are sorted.
struct Stage {
  bool is_ordered = false;  ///< The run was told to end.
  bool is_ending = false;   ///< LINGER is over: processes we may not signal are left running.
};

/// The living members of a run, split into stragglers and kept.
struct Sorted {
  std::vector<KeptProcess> kept;
  std::vector<sys::ProcessStat> stragglers;
};

/// The members of a run: the descendants of the calling process, which is a subreaper (prctl(2)),
/// except the children that it had before and its helpers. Reads /proc at each call.
class Members {
 public:
  /// `run` must outlive it. Children that exist now do not belong to the run.
  explicit Members(const Run& run);

  void set_tool(const sys::ProcessId& tool) noexcept { tool_ = tool; }
  /// Guardian and canary; -1 for one that does not exist.
  void set_helpers(std::array<pid_t, 2> helpers) noexcept { helpers_ = helpers; }
  /// From now on sorts as strictly as for a run that was told to stop.
  void note_cut_short() noexcept { traits_.was_cut_short = 1; }
  [[nodiscard]] bool was_cut_short() const noexcept { return traits_.was_cut_short != 0; }

  /// Parents before children.
  [[nodiscard]] std::vector<sys::ProcessStat> all() const;
  [[nodiscard]] Sorted sort(Stage stage) const;
  /// True when no member can be left: an orphan would be our child.
  [[nodiscard]] bool are_gone() const;
  /// True while one of `kept` may still become a lane call: a call on its way to its tool is sorted
  /// by what it is now.
  [[nodiscard]] bool may_become_lane_call(const std::vector<KeptProcess>& kept) const;

 private:
  [[nodiscard]] bool lives_on(const sys::ProcessStat& stat, Leftover leftover, Stage stage) const;

  const Run& run_;
  RunTraits traits_;  ///< The run's, and whether it was cut short.
  std::vector<sys::ProcessId> prior_;
  sys::ProcessId tool_;
  std::array<pid_t, 2> helpers_{-1, -1};
};

/// The first three, with command line and pid, for a notice.
[[nodiscard]] std::string list_of(const std::vector<sys::ProcessStat>& members);

/// True when we may not signal the process (sudo's, for example).
[[nodiscard]] bool is_out_of_reach(pid_t pid) noexcept;

}  // namespace onelane::process
