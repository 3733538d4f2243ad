#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// Ids of the runs that have a log in `directory`, the most recently written first; `most` at most.
[[nodiscard]] std::vector<std::string> newest_logs(const std::string& directory, std::size_t most);

/// The same for the log directory of a project. Where there are very many logs, it asks for those
/// of the live runs and of the newest records instead of looking at each file.
[[nodiscard]] std::vector<std::string> newest_logs(const LanesHere& lanes, std::size_t most);

}  // namespace onelane::multicall
