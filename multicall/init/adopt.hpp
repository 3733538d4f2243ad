#pragma once

#include <string>
#include <vector>

#include "core/project/project.hpp"

namespace onelane::multicall::setup {

/// The options of `onelane init`.
struct InitOptions {
  std::vector<std::string> tools;  ///< Further tools: a link and an entry in onelane.toml.
  std::vector<std::string> links;  ///< Further links: seq, safe-run.
  std::string limits;              ///< "seeds", or empty.
  bool direnv = false;
  bool no_direnv = false;
  bool ci = false;
  bool dry_run = false;
};

/// What was done, or with `dry_run` would be done.
struct InitReport {
  std::vector<std::string> lines;
  std::vector<std::string> next;  ///< What is left for the user to do.
};

/// Makes the project adopt onelane: the lane, .onelane/bin with its links, settings, direnv. May be
/// repeated. Throws SystemError.
[[nodiscard]] InitReport adopt(const project::Project& project, const InitOptions& options);

}  // namespace onelane::multicall::setup
