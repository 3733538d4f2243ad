#pragma once

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall::monitor {

enum class Until { Told, Snapshot };  ///< When to stop: at a signal, or after the first event.

/// Writes events to standard output, one JSON object per line, until a signal ends us or the reader
/// goes away. Returns the exit code. Sleeps while nothing changes. Throws SystemError when a lane
/// cannot be read.
[[nodiscard]] int run_stream(const LanesHere& lanes, Until until);

}  // namespace onelane::multicall::monitor
