#include "core/project/project.hpp"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "core/sys/file_descriptor.hpp"

namespace onelane::project {
namespace {

constexpr std::size_t kLinkLimit = 8192;      ///< A `.git` or `commondir` file is one line.
constexpr std::size_t kTomlLimit = 1U << 20U;
constexpr int kDeepest = 128;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// Absolute, without `.`, `..` and symbolic links; nothing when it does not exist.
std::optional<std::string> resolve(const std::string& path) {
  char buffer[PATH_MAX];
  if (::realpath(path.c_str(), buffer) == nullptr) {
    return std::nullopt;
  }
  return std::string{buffer};
}

std::string join(const std::string& base, std::string_view path) {
  return path.starts_with('/') ? std::string{path} : base + "/" + std::string{path};
}

/// First line of a small file, after `prefix`; nothing when it does not begin so.
std::optional<std::string> read_line(const std::string& path, std::string_view prefix) {
  const auto text = sys::read_small_file(path.c_str(), kLinkLimit);
  if (!text || !text->starts_with(prefix)) {
    return std::nullopt;
  }
  std::string line = text->substr(prefix.size(), text->find('\n') - prefix.size());
  while (!line.empty() && line.back() == '\r') {
    line.pop_back();
  }
  if (line.empty() || line.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  return line;
}

struct Repository {
  std::string git_dir;
  std::string common_dir;
};

/// `path` if it is a git directory.
std::optional<Repository> as_repository(const std::string& path) {
  if (!exists(path + "/HEAD")) {
    return std::nullopt;
  }
  Repository repository{path, path};
  if (const auto common = read_line(path + "/commondir", "")) {
    const auto resolved = resolve(join(path, *common));
    if (!resolved) {
      return std::nullopt;
    }
    repository.common_dir = *resolved;
  }
  if (!is_directory(repository.common_dir + "/objects") ||
      !is_directory(repository.common_dir + "/refs")) {
    return std::nullopt;
  }
  return repository;
}

/// The repository whose work tree has `directory` at its top.
std::optional<Repository> repository_at(const std::string& directory) {
  const std::string dot_git = directory + "/.git";
  struct stat info {};
  if (::stat(dot_git.c_str(), &info) != 0) {
    return std::nullopt;
  }
  if (S_ISDIR(info.st_mode)) {
    return as_repository(dot_git);
  }
  const auto target = read_line(dot_git, "gitdir: ");
  const auto resolved = target ? resolve(join(directory, *target)) : std::nullopt;
  return resolved ? as_repository(*resolved) : std::nullopt;
}

/// True when onelane.toml in `directory` says `root = true` before its first table.
bool is_marked_root(const std::string& directory) {
  const auto text = sys::read_small_file((directory + "/onelane.toml").c_str(), kTomlLimit);
  for (std::size_t at = 0; text && at < text->size();) {
    const std::size_t end = std::min(text->find('\n', at), text->size());
    std::string line;
    for (const char c : std::string_view{*text}.substr(at, end - at)) {
      if (c == '#') {
        break;
      }
      if (c != ' ' && c != '\t' && c != '\r') {
        line += c;
      }
    }
    if (line.starts_with('[')) {
      return false;
    }
    if (line == "root=true") {
      return true;
    }
    at = end + 1;
  }
  return false;
}

void finish(Project& project) {
  const std::string_view root{project.root};
  project.name = root.substr(root.rfind('/') + 1);
  if (project.name == ".git") {
    const std::string_view above = root.substr(0, root.rfind('/'));
    project.name = above.substr(above.rfind('/') + 1);
  }
  project.has_toml = exists(project.root + "/onelane.toml");
}

Project git_project(const std::string& root, const Repository& repository) {
  Project project;
  project.root = root;
  project.git_dir = repository.git_dir;
  project.common_dir = repository.common_dir;
  project.state_dir = repository.git_dir + "/onelane";
  finish(project);
  project.adopted = is_directory(repository.common_dir + "/onelane") ||
                    is_directory(root + "/.onelane/state") || project.has_toml;
  return project;
}

Project plain_project(const std::string& root, const std::optional<Repository>& repository) {
  Project project;
  project.root = root;
  if (repository) {
    project.git_dir = repository->git_dir;
    project.common_dir = repository->common_dir;
  }
  project.state_dir = root + "/.onelane/state";
  finish(project);
  project.adopted = true;
  return project;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? std::string{"/"} : path.substr(0, slash);
}

/// The adopted superproject of a submodule: its git directory lies in `modules` of the
/// superproject's common directory, or the work tree lies inside another one.
std::optional<Project> adopted_superproject(const Project& submodule) {
  if (submodule.common_dir.find("/modules/") == std::string::npos) {
    return std::nullopt;
  }
  for (std::string at = parent_of(submodule.root); at != "/"; at = parent_of(at)) {
    if (const auto repository = repository_at(at)) {
      const Project above = git_project(at, *repository);
      return above.adopted ? std::optional{above} : adopted_superproject(above);
    }
  }
  return std::nullopt;
}

std::optional<Project> with_superproject(Project project) {
  if (!project.adopted) {
    if (auto above = adopted_superproject(project)) {
      return above;
    }
  }
  return project;
}

std::optional<Project> search_upward(const std::string& from) {
  std::optional<std::string> marked;
  std::string at = from;
  for (int level = 0; level < kDeepest; ++level, at = parent_of(at)) {
    if (const auto repository = repository_at(at)) {
      return marked && *marked != at ? plain_project(*marked, repository)
                                     : with_superproject(git_project(at, *repository));
    }
    // A bare repository, or a place inside a .git directory.
    if (const auto repository = as_repository(at)) {
      return git_project(at, *repository);
    }
    if (!marked && is_marked_root(at)) {
      marked = at;
    }
    if (at == "/") {
      break;
    }
  }
  for (at = from;; at = parent_of(at)) {
    if (exists(at + "/onelane.toml") || is_directory(at + "/.onelane/state")) {
      return plain_project(at, std::nullopt);
    }
    if (at == "/") {
      return std::nullopt;
    }
  }
}

}  // namespace

std::optional<Project> find(const Start& start) {
  const auto from = resolve(start.directory);
  if (!from) {
    return std::nullopt;
  }
  if (start.git_dir) {
    const auto path = resolve(join(*from, *start.git_dir));
    const auto repository = path ? as_repository(*path) : std::nullopt;
    if (!repository) {
      return std::nullopt;
    }
    // The work tree that belongs to it, when its own .git leads there.
    const auto around = search_upward(*from);
    if (around && around->git_dir == repository->git_dir) {
      return around;
    }
    const bool in_work_tree = repository->git_dir.ends_with("/.git");
    return git_project(in_work_tree ? parent_of(repository->git_dir) : repository->git_dir,
                       *repository);
  }
  return search_upward(*from);
}

}  // namespace onelane::project
