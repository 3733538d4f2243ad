#pragma once

#include <string>
#include <vector>

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall::ci {

/// Entries of the project's batch queue that nobody has started, as people are shown them, in
/// order. Takes no lock. Throws SystemError when the queue cannot be read.
[[nodiscard]] std::vector<std::string> unstarted_entries(const LanesHere& lanes);

}  // namespace onelane::multicall::ci
