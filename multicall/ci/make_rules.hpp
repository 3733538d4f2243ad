#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/audit/sources.hpp"

namespace onelane::multicall::ci {

/// A rule of a Makefile: `TARGETS: NEEDS` and its recipe, a script for each of its lines.
struct MakeRule {
  std::vector<std::string> targets;
  std::vector<std::string> needs;
  std::vector<audit::Script> recipe;
};

/// The explicit rules as a reader of lines finds them, in order; nothing is expanded or included.
/// Pure.
[[nodiscard]] std::vector<MakeRule> make_rules(std::string_view content);

}  // namespace onelane::multicall::ci
