#pragma once

#include <optional>
#include <string>
#include <string_view>

/// How git lays out a repository on disk (gitrepository-layout(5)), read as data: no git process is
/// run, and nothing that a repository contains is executed. All paths are absolute and free of
/// symbolic links, like those of getcwd(2).
namespace onelane::project {

/// A valid git directory.
struct GitDir {
  std::string git_dir;
  std::string common_dir;  ///< Has objects and refs; differs from git_dir in a linked work tree.
};

/// The repository whose git directory is `directory`, by git's own test: HEAD, objects and refs
/// exist, the last two in the common directory that a `commondir` file names.
[[nodiscard]] std::optional<GitDir> open_git_dir(const std::string& directory);

/// The repository whose work tree has its top at `top`: `<top>/.git`, or what it leads to by a
/// symbolic link or a line `gitdir: …`. nullopt when missing or invalid.
[[nodiscard]] std::optional<GitDir> open_dot_git(const std::string& top);

/// Interprets `path` the way git reads GIT_DIR: a git directory or a file that leads to one. `path`
/// must be canonical.
[[nodiscard]] std::optional<GitDir> open_named_git_dir(const std::string& path);

/// The top of the work tree for a git directory found without one: of a linked work tree, of a
/// submodule, of an ordinary `.git`; the git directory itself when it is bare.
[[nodiscard]] std::string work_tree_of(const GitDir& repository);

/// Value of `core.<key>` in the repository's own config file, read as text: includes are not
/// followed. nullopt when unset; empty for a key without a value (git's "true").
[[nodiscard]] std::optional<std::string> core_setting(const GitDir& repository,
                                                      std::string_view key);

/// realpath(3); nullopt with errno set on failure.
[[nodiscard]] std::optional<std::string> canonical(const std::string& path);

/// `path` itself when absolute, else resolved against `directory`.
[[nodiscard]] std::string below(const std::string& directory, std::string_view path);

/// The directory that contains `path` ("/" for "/"). `path` must be absolute and must not end in a
/// slash.
[[nodiscard]] std::string parent_of(const std::string& path);

}  // namespace onelane::project
