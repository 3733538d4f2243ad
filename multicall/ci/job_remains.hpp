#pragma once

#include <sys/types.h>

#include <vector>

#include "multicall/context/lanes_here.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/orphan_rows.hpp"

namespace onelane::multicall::ci {

/// True for a process that was started in the same CI job as this one: its initial environment has
/// the same mark (RUNNER_TRACKING_ID of GitHub, CI_JOB_ID of GitLab, JENKINS_NODE_COOKIE). A daemon
/// that shall outlive its job is started without the mark, as each of them documents. True for any
/// process if our own environment has no mark.
[[nodiscard]] bool is_of_this_job(pid_t pid);

/// True inside a CI job: CI is set and not `false`, a mark of the job is set, or
/// ONELANE_JOB_STARTED, which holds the time when the job began.
[[nodiscard]] bool is_in_job();

/// What to do with processes that were left running on purpose.
enum class Daemons { End, Keep };

/// Processes that the job's runs left, by what became of them.
struct Cleared {
  std::vector<OrphanRow> ended;  ///< Ended, with everything below them.
  std::vector<OrphanRow> kept;   ///< Daemons that live on: with Daemons::Keep, or of another job.
  std::vector<OrphanRow> left;   ///< Survived KILL, or belong to another user.
};

/// Ends the orphans of this project's runs and, with Daemons::End, what runs of this job have left
/// running on purpose: TERM, then KILL after KILL_TIMEOUT. Recognises processes as `onelane
/// orphans` does, by pid, start time and the run's marker; spares this process and its ancestors.
/// Blocks at most KILL_TIMEOUT and ten seconds. `lanes` must be readable.
[[nodiscard]] Cleared clear_job(const LanesHere& lanes, Daemons daemons);

/// The same without ending anything: `ended` lists what clear_job() would end.
[[nodiscard]] Cleared look_at_job(const LanesHere& lanes, Daemons daemons);

/// The live tickets of the lanes, sorted for the end of a job.
struct JobRuns {
  std::vector<Found> services;  ///< Services of this job, to be ended.
  std::vector<Found> foreign;   ///< Services that outlive this job, or belong to another.
  std::vector<Found> others;    ///< Holders, waiting calls, and runs that we are a part of.
};
[[nodiscard]] JobRuns job_runs(const LanesHere& lanes);

/// Entries of the project's queue that were never started, in order, as text for people. Takes no
/// lock. Throws SystemError if the queue cannot be read.
[[nodiscard]] std::vector<std::string> unstarted_entries(const LanesHere& lanes);

}  // namespace onelane::multicall::ci
