#pragma once

#include <string>
#include <vector>

#include "shims/atoms.hpp"

namespace onelane::multicall {

/// Why the tool's settings in the project forbid splitting a command over `operands` into parts
/// that start in `starts` (directories, which must exist); empty if they allow it. Reads settings
/// files as data and runs nothing. `is_pinned`: the command line names the settings file.
[[nodiscard]] std::string atom_settings_refusal(const shims::AtomTool& tool,
                                                const std::vector<std::string>& operands,
                                                const std::vector<std::string>& starts,
                                                bool is_pinned);

/// The key or word in `text` (TOML or INI) that forbids the split; empty if there is none.
[[nodiscard]] std::string atom_forbidden_key(const shims::AtomTool& tool, bool is_own_file,
                                             const std::string& text);

/// A Python regular expression for black's `--include`: it matches exactly `names` (below
/// `directory`), written as black sees them, from the root of its project.
[[nodiscard]] std::string atom_include_pattern(const std::string& directory,
                                               const std::vector<std::string>& names);

}  // namespace onelane::multicall
