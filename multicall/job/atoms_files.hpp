#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shims/atoms.hpp"

namespace onelane::multicall {

/// Files below a directory, sorted by bytes, each once and named as the directory was; or why
/// nobody could say.
struct AtomFiles {
  std::vector<std::string> names;
  std::string failure;
};

/// What `tool` takes from `directory`: all that git tracks or does not ignore, in submodules
/// too. Outside git all that is there. Blocks until git has answered.
[[nodiscard]] AtomFiles atom_files_below(const std::string& directory, const shims::AtomTool& tool);

/// The same by the tool itself: `question` is its command with the flag that makes it list,
/// argv[0] an absolute path, without the directory. A name that is not that of a file below
/// `directory` (one of its names has a newline) is a failure.
[[nodiscard]] AtomFiles atom_files_listed(const std::string& directory,
                                          std::vector<std::string> question);

/// The major version that `question` (a command with `--version`) prints; 0 when there is none.
[[nodiscard]] int atom_major_version(const std::vector<std::string>& question);

}  // namespace onelane::multicall
