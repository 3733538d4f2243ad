#pragma once

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// `onelane stop --everything`: ends everything of this project's runs, of every user: the queue,
/// waiting calls, the holder, services, and what runs left behind or kept. Then looks again and
/// reports what is still there.
///
/// Asks first unless `yes`. Signals only processes that carry the id of a run of this project or
/// that such a run has written down (see OrphanRules); on a lane that several projects share this
/// leaves out the queue and the runs of other projects. Sessions with a terminal of their own, the
/// caller and its ancestors are spared and named. Blocks as end_run() does, for each run. Returns
/// the exit code: 0 only if the second look finds nothing.
[[nodiscard]] int stop_everything(const LanesHere& lanes, bool yes, bool as_json);

}  // namespace onelane::multicall
