#pragma once

#include <optional>
#include <string>

/// Which project a call belongs to. Reads a few directory entries and never writes.
namespace onelane::project {

/// Where a call takes place.
struct Start {
  std::string directory;  ///< Absolute, or relative to the current directory, which is "".
  /// `--git-dir` or GIT_DIR, for git only; relative to `directory`, like git reads both.
  std::optional<std::string> git_dir;
};

/// Paths are absolute and free of symbolic links, so one project has one spelling.
struct Project {
  /// Top of the work tree, or the directory with onelane.toml or .onelane/state; the git
  /// directory of a bare repository.
  std::string root;
  std::string name;  ///< Last part of `root`, for messages.
  /// Where the lane lives; may not exist yet (a linked work tree of an adopted repository).
  std::string state_dir;
  std::string git_dir, common_dir;  ///< Of the enclosing repository; empty without git.
  bool adopted = false;             ///< It has a lane.
  bool has_toml = false;            ///< A regular file onelane.toml exists at `root`.
};

/// The project of a call; nullopt when there is neither a repository nor a marker at or above its
/// directory, or when the current directory is gone. A directory that does not exist yet belongs to
/// the nearest existing one above.
///
/// Searches upward from the directory to the git top level; without git, to the nearest directory
/// with onelane.toml or .onelane/state. A onelane.toml below the git top level makes a project of
/// its own, with its state in .onelane/state, if it says `root = true`; otherwise it is ignored. A
/// project is adopted if it has `<common dir>/onelane/`, `<root>/.onelane/state/` or onelane.toml.
/// A submodule that is not adopted belongs to the nearest superproject that is.
///
/// As in git, GIT_CEILING_DIRECTORIES bounds the search for a repository. A marker of any kind
/// directly in a sticky directory that all may write (/tmp) counts only when it belongs to us or
/// root: any user could have put it there.
[[nodiscard]] std::optional<Project> find(const Start& start);

}  // namespace onelane::project
