#pragma once

#include <optional>
#include <string>
#include <string_view>

/// How git lays out a repository on disk (gitrepository-layout(5)), read as data: no git
/// process is ever run, and nothing a repository says is executed. All paths are absolute
/// and free of symbolic links, as getcwd(2) gives them.
namespace onelane::project {

/// A valid git directory.
struct GitDir {
  std::string git_dir;
  std::string
      common_dir;  ///< Where objects and refs are; git_dir itself, but in a linked work tree.
};

/// The repository whose git directory is `directory`, by git's own test: HEAD, objects and
/// refs are there, the last two in the common directory that a `commondir` file names.
[[nodiscard]] std::optional<GitDir> open_git_dir(const std::string& directory);

/// The repository that has its work tree's top at `top`: what `<top>/.git` is, or leads to by
/// a symbolic link or a line `gitdir: …`. Nothing when it is missing or not valid.
[[nodiscard]] std::optional<GitDir> open_dot_git(const std::string& top);

/// As git reads GIT_DIR: a git directory or a file that leads to one. `path` is canonical.
[[nodiscard]] std::optional<GitDir> open_named_git_dir(const std::string& path);

/// The top of the work tree that belongs to a git directory reached without it: of a linked
/// work tree, of a submodule, of a usual `.git`; the git directory itself when it is bare.
[[nodiscard]] std::string work_tree_of(const GitDir& repository);

/// Value of `core.<key>` in the repository's own config file, read as text: includes are not
/// followed. Nothing when it is unset; empty for a key without a value (git's "true").
[[nodiscard]] std::optional<std::string> core_setting(const GitDir& repository,
                                                      std::string_view key);

/// realpath(3) as a value; nothing with errno set.
[[nodiscard]] std::optional<std::string> canonical(const std::string& path);

/// `path` itself when absolute, else below `directory`.
[[nodiscard]] std::string below(const std::string& directory, std::string_view path);

/// The directory that holds `path` ("/" for "/"), which must be absolute without a slash at its
/// end.
[[nodiscard]] std::string parent_of(const std::string& path);

}  // namespace onelane::project
