#pragma once

#include <string>

#include "multicall/report/history.hpp"

namespace onelane::multicall {

/// The history in the Trace Event Format that chrome://tracing and ui.perfetto.dev open: one
/// JSON object. The lane is the process, each tool a track, with a second one below it while
/// several of its calls wait or run at once, because the slices of a track may not overlap. A
/// wait and the run it led to are two slices ("X"), memory is a counter ("C"). Microseconds
/// since the epoch. Throws std::bad_alloc.
[[nodiscard]] std::string trace_of(const History& history);

}  // namespace onelane::multicall
