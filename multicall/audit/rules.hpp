#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>

namespace onelane::multicall::audit {

/// The tools that a project has put behind the lane.
struct Tools {
  std::set<std::string, std::less<>> adopted;  ///< The built-in five and `[tools.NAME]`, links.
  std::set<std::string, std::less<>> linked;   ///< Those with a link in .onelane/bin.
};

/// A call that goes round the lane.
struct Detour {
  std::string tool;    ///< The adopted tool that is run.
  std::string why;     ///< One clause.
  std::string change;  ///< What would close it.
};

/// Where a command stands, as far as that changes what its words reach.
enum class Setting {
  Plain,
  Environment,  ///< tox, nox: Python tools come from an environment of their own.
};

/// What one simple command does to the lane; nothing when it takes it, or needs none (the policy
/// of the built-in tools says which calls only read). Pure.
[[nodiscard]] std::optional<Detour> find_detour(std::span<const std::string> words,
                                                const Tools& tools,
                                                Setting setting = Setting::Plain);

/// The script behind `sh -c` or `bash -lc`; nothing for any other command.
[[nodiscard]] std::optional<std::string> inner_script(std::span<const std::string> words);

}  // namespace onelane::multicall::audit
