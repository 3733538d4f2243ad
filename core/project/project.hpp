#pragma once

#include <optional>
#include <string>

namespace onelane::project {

/// Where a call acts.
struct Start {
  std::string directory = ".";         ///< Absolute, or relative to the current directory.
  std::optional<std::string> git_dir;  ///< --git-dir or GIT_DIR, relative to `directory`; git only.
};

/// A project: what shares one lane.
struct Project {
  std::string root;        ///< Absolute: top of the work tree, or where onelane.toml or .onelane/state is; a bare repository's git dir.
  std::string name;        ///< Last part of root, for messages.
  std::string state_dir;   ///< Where the lane lives; may not exist yet.
  std::string git_dir;     ///< Of this work tree; empty without git.
  std::string common_dir;  ///< Shared by all work trees; empty without git.
  bool adopted = false;    ///< Has a lane.
  bool has_toml = false;   ///< onelane.toml at the root.
};

/// Finds the project of a call: upward to the git top level, or to a nearer onelane.toml
/// that says `root = true`; without git to the nearest directory with onelane.toml or
/// .onelane/state. A submodule that has not adopted onelane belongs to its adopted
/// superproject. Reads, writes nothing, runs nothing; nothing outside a project.
///
/// A repository is recognised as git does it (setup.c, is_git_directory): HEAD, objects and
/// refs, the latter two in the common directory of a linked work tree.
[[nodiscard]] std::optional<Project> find(const Start& start);

}  // namespace onelane::project
