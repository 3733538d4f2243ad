#pragma once

#include <string>
#include <vector>

#include "multicall/monitor/rows.hpp"

namespace onelane::multicall::monitor {

/// A process and what is drawn before its command.
struct Branch {
  const ProcessLook* process = nullptr;
  std::string prefix;
};

/// `processes` (parents before children) as `choice` wants them. As a tree, siblings are sorted
/// and a filtered process keeps the line of its parents; as a list, all are. Borrows them.
[[nodiscard]] std::vector<Branch> branches_of(const std::vector<ProcessLook>& processes,
                                              const Choice& choice, bool unicode);

/// True when `text` contains `part`, whatever the case of ASCII letters; an empty part always.
[[nodiscard]] bool has_part(std::string_view text, std::string_view part);

}  // namespace onelane::multicall::monitor
