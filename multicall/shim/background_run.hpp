#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/lane/ticket.hpp"
#include "core/process/supervisor.hpp"
#include "multicall/shim/watch.hpp"

namespace onelane::multicall {

/// What the end of its tool means for a run's lane: given back, or kept by the guardian for the
/// lane calls that go on in the background, under the run's limits. Must outlive the hooks.
class BackgroundRun {
 public:
  /// Borrows both for its life.
  BackgroundRun(const Plan& plan, const std::string& run_id) : plan_{plan}, run_id_{run_id} {}

  /// `kept` is what commands of the run before this one have left; the last one's is added.
  void add_to(process::Hooks& hooks, lane::Ticket& ticket, std::vector<lane::Kept>& kept);

 private:
  Watch& watch();

  const Plan& plan_;
  const std::string& run_id_;
  std::optional<Watch> watch_;  ///< The guardian's own: it has none of the files of the run's.
};

/// How the wait for a run ended that was killed with its guardian.
struct BackgroundWait {
  bool has_ended = true;  ///< Nothing of it is in the background any more.
  int signal = 0;         ///< That has ended the wait.
  std::string why;        ///< Why it was given up; empty where a signal says so.
};

/// Waits for the lane calls that `last` has in the background. Those are no stragglers: they were
/// left there on purpose and end by themselves, and two lane calls never overlap. Ends at an
/// ending signal, after QUEUE_TIMEOUT and with `--no-wait`.
[[nodiscard]] BackgroundWait wait_for_background_of(const lane::LastRun& last, const Plan& plan,
                                                    const process::Signals& signals);

}  // namespace onelane::multicall
