#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/process/background.hpp"
#include "core/process/guardian.hpp"
#include "core/process/leftovers.hpp"

struct rusage;

namespace onelane::process {

/// One run: how it is supervised and ended.
struct Run {
  std::string run_id;
  std::string name;  ///< For notices: "make test".
  RunTraits traits;
  KeepList keep;
  /// True for a lane call; one that lives on in the background keeps the lane. Empty without a
  /// lane.
  LaneCallTest is_lane_call;
  std::chrono::milliseconds linger{2'000};
  std::chrono::milliseconds kill_timeout{10'000};
  std::chrono::milliseconds check_interval{5'000};
  int kill_signal = SIGTERM;  ///< The first signal sent to the tool when it is ended.
  /// Another command of the run may follow: the caller's descriptors are kept for it.
  bool may_go_on = false;
  bool wait_for_all = false;  ///< Wait for every descendant that is not on the keep list.
  int wake = -1;              ///< Readable when a look is due; the look empties it. -1 for none.
  LaneDuty lane;              ///< What its guardian does for the lane.
};

/// What the members of a run have used (getrusage(2)), except those that were never waited for.
struct Usage {
  std::uint64_t cpu_ms = 0;
  std::uint64_t largest_kb = 0;  ///< Resident, of the largest process.
  std::uint64_t blocks_in = 0;   ///< Of 512 bytes.
  std::uint64_t blocks_out = 0;

  void add(const struct rusage& one) noexcept;
};

/// How a run ended.
struct Outcome {
  pid_t tool = 0;
  int launch_error = 0;  ///< errno of exec; nothing ran then.
  int wait_status = 0;   ///< Of the tool (waitpid(2)).
  std::vector<KeptProcess> kept;
  bool ended_by_order = false;              ///< Ended by the judge or a stop order, not by itself.
  int ending_signal = 0;                    ///< INT, TERM, HUP or QUIT that reached us; 0 for none.
  std::size_t ended_leftovers = 0;          ///< Stragglers that were sent a signal.
  std::vector<sys::ProcessStat> survivors;  ///< Processes that even KILL did not end.
  Usage usage;
};

}  // namespace onelane::process
