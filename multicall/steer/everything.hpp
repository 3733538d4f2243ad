#pragma once

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// `onelane stop --everything`: ends all that lives of this project's runs, of every user:
/// what its batch queue would begin, who waits, who holds the lane, services, what runs left behind
/// and what they kept. Then looks a second time and says what that found.
///
/// Asks first unless `yes`. Signals nothing but processes that carry the id of a run of this
/// project or that such a run has written down (see OrphanRules); on a lane that several projects
/// share that leaves out the others' runs, and the batch queue. Sessions with a terminal of their
/// own, the caller and what is above it are left and named. Blocks as end_run() does for each run.
/// Gives the exit code: 0 only when the second look has found nothing.
[[nodiscard]] int stop_everything(const LanesHere& lanes, bool yes, bool as_json);

}  // namespace onelane::multicall
