#pragma once

#include <string>
#include <vector>

#include "shims/atoms.hpp"

namespace onelane::multicall {

/// Why the settings of a project forbid to split a command over `operands` into parts that
/// begin in `starts` (directories; all of them exist); empty when they do not. Reads settings
/// files as data. `is_pinned`: the caller has said which settings file counts.
[[nodiscard]] std::string atom_settings_refusal(const shims::AtomTool& tool,
                                                const std::vector<std::string>& operands,
                                                const std::vector<std::string>& starts,
                                                bool is_pinned);

/// The key or word in `text` (TOML or INI) that forbids the split; empty when there is none.
[[nodiscard]] std::string atom_forbidden_key(const shims::AtomTool& tool, bool is_own_file,
                                             const std::string& text);

/// A Python regular expression for `--include`: it matches `names` (below `directory`) as black
/// sees them, from the root of its project, and no other file.
[[nodiscard]] std::string atom_include_pattern(const std::string& directory,
                                               const std::vector<std::string>& names);

}  // namespace onelane::multicall
