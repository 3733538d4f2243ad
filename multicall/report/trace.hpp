#pragma once

#include <string>

#include "multicall/report/history.hpp"

namespace onelane::multicall {

/// The history in the Trace Event Format, which chrome://tracing and ui.perfetto.dev open: one JSON
/// object. The lane is the process and each tool a track, with another one below it while several
/// of its calls wait or run at once, because the slices of a track may not overlap. A wait and the
/// run it led to are two slices ("X"), memory is a counter ("C"). Times are microseconds since the
/// epoch. Throws std::bad_alloc.
[[nodiscard]] std::string trace_of(const History& history);

}  // namespace onelane::multicall
