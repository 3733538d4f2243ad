#pragma once

#include <string>
#include <vector>

#include "multicall/monitor/rows.hpp"

namespace onelane::multicall::monitor {

/// A process and the branch drawn before its command.
struct Branch {
  const ProcessLook* process = nullptr;
  std::string prefix;
};

/// `processes` (parents before children) as `choice` asks. In a tree, siblings are sorted and a
/// filtered process keeps its ancestors; in a list, all are sorted. Borrows the processes.
[[nodiscard]] std::vector<Branch> branches_of(const std::vector<ProcessLook>& processes,
                                              const Choice& choice, bool unicode);

/// True when `text` contains `part`, ignoring the case of ASCII letters; always for an empty part.
[[nodiscard]] bool has_part(std::string_view text, std::string_view part);

}  // namespace onelane::multicall::monitor
