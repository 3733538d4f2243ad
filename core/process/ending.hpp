#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "core/sys/process.hpp"

namespace onelane::process {

/// Sends `signal` to exactly the process that `id` names: through a pidfd whose start time
/// is checked after opening, so a reused pid is never hit (pidfd_send_signal(2)). False
/// when it is gone or not ours to signal.
bool send_signal(const sys::ProcessId& id, int signal) noexcept;

/// What became of an ending.
struct Ended {
  std::size_t signalled = 0;           ///< Different processes that were sent TERM.
  std::vector<sys::ProcessStat> left;  ///< Still there after KILL: D state or another user's.
};

/// How an ending finds its processes and passes its time.
struct Ending {
  /// Those still to end, without zombies; asked again and again, so that what forks
  /// meanwhile is found.
  std::function<std::vector<sys::ProcessStat>()> members;
  /// Waits at most that long for something to happen (and reaps); false to give up.
  std::function<bool(std::chrono::milliseconds)> wait;
  /// Those that have been sent TERM already.
  std::vector<sys::ProcessId> told;
  /// True ends the grace at once; may be empty.
  std::function<bool()> hurry;
  std::chrono::milliseconds grace{10'000};
};

/// Ends all members: TERM and CONT to each as it is found, KILL from `grace` on, until two
/// scans in a row are empty. Stops all survivors before one is killed, so that a bomb cannot
/// fork past the sweep. Gives up on those that stand KILL for ten seconds; on a bomb that
/// nothing stops after a minute.
Ended end_members(const Ending& ending);

}  // namespace onelane::process
