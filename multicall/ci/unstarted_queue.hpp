#pragma once

#include <string>
#include <vector>

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall::ci {

/// Entries of the project's queue that were never started, in order, as text for people. Takes no
/// lock. Throws SystemError if the queue cannot be read.
[[nodiscard]] std::vector<std::string> unstarted_entries(const LanesHere& lanes);

}  // namespace onelane::multicall::ci
