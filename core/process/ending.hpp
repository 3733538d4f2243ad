#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "core/sys/process.hpp"

namespace onelane::process {

/// Sends `signal` to exactly the process that `id` names, through a pidfd whose start time is
/// checked after opening, so a reused pid is never hit (pidfd_send_signal(2)). False when the
/// process is gone or may not be signalled.
bool send_signal(const sys::ProcessId& id, int signal) noexcept;

/// The result of an ending.
struct Ended {
  std::size_t signalled = 0;           ///< Number of different processes that were sent TERM.
  std::vector<sys::ProcessStat> left;  ///< Alive after KILL: in D state or another user's.
};

/// How an ending finds its processes and waits.
struct Ending {
  /// The processes still to end, without zombies; called repeatedly, to find those forked
  /// meanwhile.
  std::function<std::vector<sys::ProcessStat>()> members;
  /// Waits at most that long for something to happen (and reaps); returns false to give up.
  std::function<bool(std::chrono::milliseconds)> wait;
  /// Processes that have been sent TERM already.
  std::vector<sys::ProcessId> told;
  /// Returns true to end the grace period at once; may be empty.
  std::function<bool()> hurry;
  std::chrono::milliseconds grace{10'000};
};

/// Ends all members: TERM and CONT to each as it is found, KILL after `grace`, until two scans in a
/// row are empty. Stops all survivors before the first is killed, so that a fork bomb cannot outrun
/// the sweep. Gives up after ten seconds on processes that survive KILL, and after a minute on a
/// bomb that keeps forking.
Ended end_members(const Ending& ending);

}  // namespace onelane::process
