#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shims/atoms.hpp"

namespace onelane::multicall {

/// Files below a directory, sorted by bytes, each once, named with the directory as it was given;
/// or why they could not be listed.
struct AtomFiles {
  std::vector<std::string> names;
  std::string failure;
};

/// The files that `tool` takes from `directory`: in git all that are tracked or not ignored,
/// submodules included; outside git all files. Blocks until git has answered.
[[nodiscard]] AtomFiles atom_files_below(const std::string& directory, const shims::AtomTool& tool);

/// The same, listed by the tool itself: `question` is its command with the flag for listing,
/// argv[0] an absolute path, without the directory. It is a failure if a listed name is not a file
/// below `directory`, as when a file name contains a newline. Blocks for the tool.
[[nodiscard]] AtomFiles atom_files_listed(const std::string& directory,
                                          std::vector<std::string> question);

/// The major version that `question` (a command with `--version`) prints; 0 if it prints none.
[[nodiscard]] int atom_major_version(const std::vector<std::string>& question);

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
