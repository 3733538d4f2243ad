#pragma once

#include <sys/types.h>

#include <vector>

#include "multicall/context/lanes_here.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/orphan_rows.hpp"

namespace onelane::multicall::ci {

/// True for a process that was started in the CI job that we are in: its initial environment has
/// the same mark of the job (RUNNER_TRACKING_ID of GitHub's runner, CI_JOB_ID of GitLab's,
/// JENKINS_NODE_COOKIE). A daemon that is to outlive its job is started without it, as each of
/// them documents. True for any process where there is no such mark around us.
[[nodiscard]] bool is_of_this_job(pid_t pid);

/// True where a CI system says that we are in one of its jobs (CI, other than `false`, or a mark of
/// the job), or ONELANE_JOB_STARTED when the job began.
[[nodiscard]] bool is_in_job();

/// What becomes of what was left running on purpose.
enum class Daemons { End, Keep };

/// What was left of the job's runs, and what became of it.
struct Cleared {
  std::vector<OrphanRow> ended;  ///< With all that was below them.
  std::vector<OrphanRow> kept;   ///< Daemons that live on: they were to, or are another job's.
  std::vector<OrphanRow> left;   ///< Stood KILL, or are another user's.
};

/// Ends the orphans of this project's runs and, with Daemons::End, what those of this job have left
/// running on purpose: TERM, KILL after KILL_TIMEOUT. Who is who is decided as `onelane orphans`
/// does, by pid, start time and the run's marker; the calling process and its ancestors are spared.
/// Blocks at most KILL_TIMEOUT and ten seconds. `lanes` must be readable.
[[nodiscard]] Cleared clear_job(const LanesHere& lanes, Daemons daemons);

/// The same without ending anything: `ended` has what clear_job would end.
[[nodiscard]] Cleared look_at_job(const LanesHere& lanes, Daemons daemons);

/// Live tickets of the lanes as the end of a job sorts them.
struct JobRuns {
  std::vector<Found> services;  ///< Of this job: to be ended.
  std::vector<Found> foreign;   ///< Services that outlive this job, or are another's.
  std::vector<Found> others;    ///< Hold the lane, wait for it, or we are a part of them.
};
[[nodiscard]] JobRuns job_runs(const LanesHere& lanes);

}  // namespace onelane::multicall::ci
