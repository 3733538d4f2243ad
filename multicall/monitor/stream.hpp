#pragma once

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall::monitor {

enum class Until { Told, Snapshot };  ///< To be stopped, or after the first event.

/// Writes events to standard output, one JSON object a line, until a signal ends us or the
/// reader goes away; the exit code. Sleeps while nothing changes. Throws SystemError when a
/// lane cannot be read.
[[nodiscard]] int run_stream(const LanesHere& lanes, Until until);

}  // namespace onelane::multicall::monitor
