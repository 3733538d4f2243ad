#include "core/project/project.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/project/git_dir.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::project {
namespace {

constexpr std::size_t kMostToml = std::size_t{256} << 10;
/// Bounds submodules in submodules, and superprojects that lead back to themselves by links.
constexpr int kMostNesting = 16;

bool exists_as(const std::string& path, mode_t type) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && (info.st_mode & S_IFMT) == type;
}

/// False for files that another user may have put into a directory that all may write.
bool may_trust(const std::string& directory, const std::string& marker) noexcept {
  struct stat place {};
  struct stat info {};
  if (::stat(directory.c_str(), &place) != 0 || ::lstat(marker.c_str(), &info) != 0) {
    return false;
  }
  const bool open_to_all = (place.st_mode & S_ISVTX) != 0 && (place.st_mode & S_IWOTH) != 0;
  return !open_to_all || info.st_uid == ::geteuid() || info.st_uid == 0;
}

std::optional<std::string> current_directory() {
  std::string directory = sys::working_directory();
  return directory.empty() ? std::nullopt : std::optional{std::move(directory)};
}

/// Absolute and without symbolic links, as git sees it. For a directory that the call has yet to
/// make (`npm --prefix new install`), the nearest existing one above.
std::optional<std::string> physical(const std::string& directory) {
  if (directory.empty() || directory == ".") {
    return current_directory();
  }
  std::optional<std::string> path{directory};
  if (!directory.starts_with('/')) {
    path = current_directory();
    if (path) {
      path = below(*path, directory);
    }
  }
  while (path) {
    if (auto found = canonical(*path)) {
      return found;
    }
    if (errno != ENOENT || *path == "/") {
      break;
    }
    path = parent_of(*path);
  }
  return std::nullopt;
}

/// True for `root = true` before the first table, the only part of TOML needed here.
bool says_root(const std::string& toml_path) {
  const auto text = sys::read_small_file(toml_path.c_str(), kMostToml);
  std::string_view rest = text ? std::string_view{*text} : std::string_view{};
  while (!rest.empty()) {
    std::string line{rest.substr(0, rest.find_first_of("#\n"))};
    rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    std::erase_if(line, [](char c) { return c == ' ' || c == '\t' || c == '\r'; });
    if (line.starts_with('[')) {
      return false;
    }
    if (line == "root=true") {
      return true;
    }
  }
  return false;
}

std::vector<std::string> ceilings() {
  std::vector<std::string> out;
  const char* text = std::getenv("GIT_CEILING_DIRECTORIES");
  for (std::string_view rest{text != nullptr ? text : ""}; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::string entry{rest.substr(0, end)};
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (entry.starts_with('/')) {
      out.push_back(canonical(entry).value_or(entry));
    }
  }
  return out;
}

/// A repository at or above a directory.
struct Repository {
  GitDir git;
  std::string top;
  std::string nearer_root;  ///< Directory below `top` whose onelane.toml says `root = true`.
};

/// The repository at `directory`, which is the top of its work tree or its git directory.
std::optional<Repository> repository_at(const std::string& directory) {
  if (auto git = open_dot_git(directory); git && may_trust(directory, below(directory, ".git"))) {
    return Repository{std::move(*git), directory, {}};
  }
  if (auto git = open_git_dir(directory); git && may_trust(directory, below(directory, "HEAD"))) {
    std::string top = work_tree_of(*git);
    return Repository{std::move(*git), std::move(top), {}};
  }
  return std::nullopt;
}

std::optional<Repository> find_repository(std::string directory) {
  const auto stops = ceilings();
  std::string nearer_root;
  for (bool first = true;; first = false) {
    for (const auto& stop : stops) {
      if (!first && directory == stop) {
        return std::nullopt;
      }
    }
    if (auto found = repository_at(directory)) {
      found->nearer_root = std::move(nearer_root);
      return found;
    }
    if (nearer_root.empty() && says_root(below(directory, "onelane.toml"))) {
      nearer_root = directory;
    }
    if (directory == "/") {
      return std::nullopt;
    }
    directory = parent_of(directory);
  }
}

std::string name_of(const std::string& root) {
  return root == "/" ? root : root.substr(root.rfind('/') + 1);
}

bool has_own_state(const std::string& root) noexcept {
  return exists_as(below(root, ".onelane/state"), S_IFDIR);
}

Project without_git(std::string root, bool has_toml) {
  Project out;
  out.name = name_of(root);
  out.state_dir = below(root, ".onelane/state");
  out.root = std::move(root);
  out.adopted = true;
  out.has_toml = has_toml;
  return out;
}

Project with_git(const Repository& repository) {
  Project out;
  out.root = repository.top;
  out.name = name_of(out.root);
  out.git_dir = repository.git.git_dir;
  out.common_dir = repository.git.common_dir;
  out.state_dir = below(out.git_dir, "onelane");
  out.has_toml = exists_as(below(out.root, "onelane.toml"), S_IFREG);
  out.adopted = out.has_toml || exists_as(below(out.common_dir, "onelane"), S_IFDIR) ||
                has_own_state(out.root);
  return out;
}

/// The project of a repository: its own, or that of the superproject that has adopted onelane.
Project settle(const Repository& repository) {
  Project own = with_git(repository);
  Repository inner = repository;
  for (int level = 0; !own.adopted && level < kMostNesting; ++level) {
    // A submodule's git directory lies below its superproject's (gitsubmodules(7)).
    if (inner.top == "/" || inner.git.git_dir.find("/modules/") == std::string::npos) {
      break;
    }
    auto outer = find_repository(parent_of(inner.top));
    if (!outer || !inner.git.git_dir.starts_with(outer->git.git_dir + "/modules/")) {
      break;
    }
    if (Project super = with_git(*outer); super.adopted) {
      return super;
    }
    inner = std::move(*outer);
  }
  return own;
}

std::optional<Project> find_marker(std::string directory) {
  for (;; directory = parent_of(directory)) {
    const std::string toml = below(directory, "onelane.toml");
    const bool has_toml = exists_as(toml, S_IFREG) && may_trust(directory, toml);
    if (has_toml ||
        (has_own_state(directory) && may_trust(directory, below(directory, ".onelane")))) {
      return without_git(std::move(directory), has_toml);
    }
    if (directory == "/") {
      return std::nullopt;
    }
  }
}

}  // namespace

std::optional<Project> find(const Start& start) {
  auto directory = physical(start.directory);
  if (!directory) {
    return std::nullopt;
  }
  if (start.git_dir) {
    const auto path = canonical(below(*directory, *start.git_dir));
    auto git = path ? open_named_git_dir(*path) : std::nullopt;
    if (!git) {
      return std::nullopt;
    }
    std::string top = work_tree_of(*git);
    return settle({std::move(*git), std::move(top), {}});
  }
  auto repository = find_repository(*directory);
  if (!repository) {
    return find_marker(std::move(*directory));
  }
  if (repository->nearer_root.empty()) {
    return settle(*repository);
  }
  Project nearer = without_git(std::move(repository->nearer_root), true);
  nearer.git_dir = std::move(repository->git.git_dir);
  nearer.common_dir = std::move(repository->git.common_dir);
  return nearer;
}

}  // namespace onelane::project
