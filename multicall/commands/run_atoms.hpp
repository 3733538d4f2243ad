#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "multicall/call.hpp"
#include "multicall/commands/options.hpp"
#include "multicall/run.hpp"

namespace onelane::multicall {

/// The options of `onelane run` about atoms.
struct AtomOptions {
  std::string which;  ///< "tools" or "pytest-file"; empty: no atoms.
  std::size_t size = 0;
  bool force = false;
  bool explain = false;

  [[nodiscard]] bool are_wanted() const { return !which.empty(); }
};

void add_atoms(Options& app, AtomOptions& options);

/// Fills `plan.commands` where atoms are wanted; `plan.tool` must be found already. An exit code
/// where the verb is over: the command is refused, or explained.
[[nodiscard]] std::optional<int> split_into_atoms(const AtomOptions& options, bool as_json,
                                                  const Call& call, Plan& plan);

}  // namespace onelane::multicall
