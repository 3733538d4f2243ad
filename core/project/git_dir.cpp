#include "core/project/git_dir.hpp"

#include <strings.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdlib>

#include "core/sys/file_descriptor.hpp"

namespace onelane::project {
namespace {

/// Room for one path, its keyword and a newline: anything longer is not a path (PATH_MAX is 4096).
constexpr std::size_t kMostPathFile = 8192;
constexpr std::size_t kMostConfig = std::size_t{1} << 20;

bool is_directory(const std::string& path) noexcept {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// HEAD may be a dangling symbolic link, to a branch that has no commit yet.
bool has_head(const std::string& directory) noexcept {
  struct stat info {};
  return ::lstat((directory + "/HEAD").c_str(), &info) == 0 &&
         (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode));
}

/// The path in a one-line file, resolved against `directory` when relative. nullopt for anything
/// else.
std::optional<std::string> read_path(const std::string& file, std::string_view keyword,
                                     const std::string& directory) {
  const auto text = sys::read_small_file(file.c_str(), kMostPathFile);
  if (!text || !text->starts_with(keyword)) {
    return std::nullopt;
  }
  std::string_view path{*text};
  path.remove_prefix(keyword.size());
  while (path.ends_with('\n') || path.ends_with('\r')) {
    path.remove_suffix(1);
  }
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  return below(directory, path);
}

std::optional<GitDir> follow_git_file(const std::string& file, const std::string& directory) {
  const auto named = read_path(file, "gitdir: ", directory);
  const auto target = named ? canonical(*named) : std::nullopt;
  return target ? open_git_dir(*target) : std::nullopt;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// A value in git's syntax: possibly quoted, possibly followed by a comment.
std::string_view plain_value(std::string_view text) {
  text = trim(text);
  if (text.starts_with('"')) {
    return text.substr(1, text.find('"', 1) - 1);
  }
  return trim(text.substr(0, text.find_first_of("#;")));
}

}  // namespace

std::optional<GitDir> open_git_dir(const std::string& directory) {
  if (!has_head(directory)) {
    return std::nullopt;
  }
  GitDir out{directory, directory};
  if (!is_directory(directory + "/objects")) {
    const auto named = read_path(directory + "/commondir", "", directory);
    auto common = named ? canonical(*named) : std::nullopt;
    if (!common || !is_directory(*common + "/objects")) {
      return std::nullopt;
    }
    out.common_dir = std::move(*common);
  }
  if (!is_directory(out.common_dir + "/refs")) {
    return std::nullopt;
  }
  return out;
}

std::optional<GitDir> open_dot_git(const std::string& top) {
  const std::string path = below(top, ".git");
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return std::nullopt;
  }
  if (S_ISDIR(info.st_mode)) {
    return open_git_dir(path);
  }
  if (S_ISREG(info.st_mode)) {
    return follow_git_file(path, top);
  }
  const auto target = S_ISLNK(info.st_mode) ? canonical(path) : std::nullopt;
  if (!target) {
    return std::nullopt;
  }
  return is_directory(*target) ? open_git_dir(*target) : follow_git_file(*target, top);
}

std::optional<GitDir> open_named_git_dir(const std::string& path) {
  return is_directory(path) ? open_git_dir(path) : follow_git_file(path, parent_of(path));
}

std::string work_tree_of(const GitDir& repository) {
  const std::string& git_dir = repository.git_dir;
  if (git_dir.ends_with("/.git")) {
    return parent_of(git_dir);
  }
  if (repository.common_dir != git_dir) {
    // Holds the path of the linked work tree's .git file, in its top directory.
    const auto back = read_path(git_dir + "/gitdir", "", git_dir);
    auto top = back ? canonical(parent_of(*back)) : std::nullopt;
    return top ? *top : git_dir;
  }
  const auto named = core_setting(repository, "worktree");
  auto top = named && !named->empty() ? canonical(below(git_dir, *named)) : std::nullopt;
  return top ? *top : git_dir;
}

std::optional<std::string> core_setting(const GitDir& repository, std::string_view key) {
  const auto text = sys::read_small_file((repository.common_dir + "/config").c_str(), kMostConfig);
  std::optional<std::string> out;
  std::string_view rest = text ? std::string_view{*text} : std::string_view{};
  bool in_core = false;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.starts_with('[')) {
      const std::size_t close = std::min(line.find(']'), line.size() - 1);
      in_core = equal_ignoring_case(line.substr(0, close + 1), "[core]");
      line = trim(line.substr(close + 1));  // git accepts `[core] bare = true` on one line, too
    }
    const std::size_t equals = std::min(line.find('='), line.size());
    if (in_core && equal_ignoring_case(trim(line.substr(0, equals)), key)) {
      const bool has_value = equals < line.size();
      out = has_value ? std::string{plain_value(line.substr(equals + 1))} : std::string{};
    }
  }
  if (out && out->find('\0') != std::string::npos) {
    return std::nullopt;
  }
  return out;
}

// Not inlined: a page of stack, which most calls do not need.
[[gnu::noinline]] std::optional<std::string> canonical(const std::string& path) {
  char buffer[PATH_MAX];
  if (::realpath(path.c_str(), buffer) == nullptr) {
    return std::nullopt;
  }
  return buffer;
}

std::string below(const std::string& directory, std::string_view path) {
  if (path.starts_with('/')) {
    return std::string{path};
  }
  std::string out{directory};
  if (!out.ends_with('/')) {
    out.push_back('/');
  }
  return out.append(path);
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

}  // namespace onelane::project
