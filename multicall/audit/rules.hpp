#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>

namespace onelane::multicall::audit {

/// The tools that take the lane in a project.
struct Tools {
  std::set<std::string, std::less<>> adopted;  ///< The built-in five, `[tools.NAME]`, and links.
  std::set<std::string, std::less<>> linked;   ///< Those with a link in .onelane/bin.
};

/// A call that bypasses the lane.
struct Detour {
  std::string tool;    ///< The adopted tool that is run.
  std::string why;     ///< One clause.
  std::string change;  ///< What to change so that it takes the lane.
};

/// Where a command is run, as far as that changes which executable it finds.
enum class Setting {
  Plain,
  Environment,  ///< tox and nox: Python tools come from an environment of their own.
};

/// How one simple command bypasses the lane; nothing if it takes the lane or does not need it
/// (by the policies of the built-in tools). Pure.
[[nodiscard]] std::optional<Detour> find_detour(std::span<const std::string> words,
                                                const Tools& tools,
                                                Setting setting = Setting::Plain);

/// The script after `sh -c` or `bash -lc`; nothing for any other command.
[[nodiscard]] std::optional<std::string> inner_script(std::span<const std::string> words);

}  // namespace onelane::multicall::audit
