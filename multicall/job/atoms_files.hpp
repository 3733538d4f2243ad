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

}  // namespace onelane::multicall
