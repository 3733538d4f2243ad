#include "multicall/job/atoms_files.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>

#include "core/process/ask.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/text.hpp"
#include "multicall/context/real_tool.hpp"

namespace onelane::multicall {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kListingPatience{120};
constexpr std::size_t kLongestListing = std::size_t{256} << 20U;

struct Listing {
  std::string out;
  std::string failure;
};

Listing ask_for_files(std::vector<std::string> argv) {
  const std::string name = fs::path{argv.front()}.filename().string();
  process::Question question;
  question.argv = std::move(argv);
  question.directory = ".";
  question.limit = kListingPatience;
  question.longest = kLongestListing;
  // A git hook above us sets these; they would name another repository or another index.
  for (const char* variable : {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX",
                               "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"}) {
    question.environment.emplace_back(variable, std::nullopt);
  }
  process::Answer answer = process::ask(question);
  Listing listing;
  if (answer.end == process::Answer::End::TimedOut) {
    listing.failure = name + " did not list the files within two minutes";
  } else if (!answer.succeeded() || answer.out.size() >= kLongestListing) {
    listing.failure = name + " could not list the files";
  }
  listing.out = std::move(answer.out);
  return listing;
}

std::vector<std::string> parts_of(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t to = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return parts;
}

std::string joined_path(const std::string& directory, const std::string& name) {
  if (directory == "." || directory.empty()) {
    return name;
  }
  return directory.ends_with('/') ? directory + name : directory + "/" + name;
}

bool is_in_git(const std::string& directory) {
  std::error_code error;
  for (fs::path at = fs::canonical(directory, error);; at = at.parent_path()) {
    if (fs::exists(at / ".git", error)) {
      return true;
    }
    if (!at.has_relative_path()) {
      return false;
    }
  }
}

/// Collects the files that one tool takes from a directory.
class AtomCollector {
 public:
  explicit AtomCollector(const shims::AtomTool& tool) : tool_{tool} {}

  void collect(const std::string& directory) {
    if (is_in_git(directory)) {
      collect_by_git(directory);
    } else {
      collect_all(directory);
    }
  }

  AtomFiles take() {
    AtomFiles files;
    files.names.assign(names_.begin(), names_.end());
    files.failure = failure_;
    return files;
  }

 private:
  Listing ask_git(const std::string& directory, const std::vector<std::string>& which) {
    char name[] = "git";
    char* argv[] = {name};
    const tool::Found git = find_real_tool(make_call(1, argv));
    if (git.outcome != tool::Outcome::Found) {
      return {{}, "git, which knows what is ignored, is not installed"};
    }
    // core.fsmonitor may name a program in the repository, which must not be run.
    std::vector<std::string> words{
        git.path, "-c", "core.fsmonitor=false", "-C", directory, "ls-files", "-z", "--cached"};
    words.insert(words.end(), which.begin(), which.end());
    return ask_for_files(std::move(words));
  }

  void collect_by_git(const std::string& directory) {
    const Listing listing = ask_git(directory, {"--others", "--exclude-standard"});
    if (!listing.failure.empty()) {
      failure_ = listing.failure;
      return;
    }
    std::set<std::string> ignored;
    if (tool_.spares_ignored) {
      const Listing spared = ask_git(directory, {"--ignored", "--exclude-standard"});
      const std::vector<std::string> names = parts_of(spared.out, '\0');
      ignored.insert(names.begin(), names.end());
    }
    for (std::string& name : parts_of(listing.out, '\0')) {
      // A repository inside the repository: untracked, or a submodule.
      const bool is_repository =
          name.ends_with('/') ||
          (fs::is_directory(fs::symlink_status(joined_path(directory, name), error_)));
      if (name.ends_with('/')) {
        name.pop_back();
      }
      if (!is_entered(name, is_repository) || ignored.contains(name)) {
        continue;
      }
      const std::string path = joined_path(directory, name);
      if (is_repository && fs::exists(fs::path{path} / ".git", error_)) {
        collect_by_git(path);
      } else if (!is_repository) {
        add(path);
      }
    }
  }

  void collect_all(const std::string& directory) {
    for (const auto& entry : fs::directory_iterator{directory, error_}) {
      const std::string name = entry.path().filename().string();
      const bool is_directory = fs::is_directory(entry.symlink_status(error_));
      const bool is_store = shims::atom_listed(".git .hg .svn .sl .jj node_modules", name);
      if (!is_directory) {
        add(joined_path(directory, name));
      } else if (!is_store && is_entered(name, true)) {
        collect(joined_path(directory, name));
      }
    }
  }

  /// True if the tool enters every directory in `name`.
  [[nodiscard]] bool is_entered(const std::string& name, bool last_too) const {
    std::vector<std::string> parts = parts_of(name, '/');
    if (!last_too && !parts.empty()) {
      parts.pop_back();
    }
    return std::ranges::none_of(
        parts, [&](const std::string& part) { return shims::atom_listed(tool_.not_below, part); });
  }

  void add(const std::string& path) {
    const std::string name = fs::path{path}.filename().string();
    if ((!tool_.files.empty() && !shims::atom_listed(tool_.files, name)) ||
        shims::atom_listed(tool_.not_files, name)) {
      return;
    }
    // Skips files that are in the index but not in the work tree.
    const fs::file_status status =
        tool_.follows_links ? fs::status(path, error_) : fs::symlink_status(path, error_);
    if (fs::is_regular_file(status)) {
      names_.insert(path);
    }
  }

  const shims::AtomTool& tool_;
  std::set<std::string> names_;
  std::string failure_;
  std::error_code error_;
};

bool is_below(const fs::path& name, const std::string& directory) {
  std::error_code error;
  const std::string path = fs::absolute(name, error).lexically_normal().string();
  for (fs::path top : {fs::absolute(directory, error), fs::canonical(directory, error)}) {
    top = top.lexically_normal();
    const std::string prefix = top.has_filename() ? top.string() + "/" : top.string();
    if (path.starts_with(prefix)) {
      return true;
    }
  }
  return false;
}

constexpr std::size_t kLongestSettings = std::size_t{4} << 20U;

fs::path canonical_directory(const std::string& name) {
  std::error_code error;
  const fs::path path = fs::canonical(name, error);
  return fs::is_directory(path, error) ? path : path.parent_path();
}

/// The innermost directory that contains all operands.
fs::path common_directory(const std::vector<std::string>& operands) {
  fs::path common = canonical_directory(operands.front());
  for (const std::string& operand : operands) {
    fs::path shared;
    const fs::path other = canonical_directory(operand);
    auto mine = common.begin();
    for (auto theirs = other.begin();
         mine != common.end() && theirs != other.end() && *mine == *theirs; ++mine, ++theirs) {
      shared /= *mine;
    }
    common = shared;
  }
  return common;
}

std::string trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t\r");
  return from == std::string_view::npos
             ? std::string{}
             : std::string{text.substr(from, text.find_last_not_of(" \t\r") - from + 1)};
}

std::string with_spaces_for(std::string text, std::string_view separators) {
  for (char& c : text) {
    c = separators.find(c) == std::string_view::npos ? c : ' ';
  }
  return text;
}

void append_escaped(std::string& pattern, std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      pattern += "\\n";  // black reads a pattern with a real line break as a verbose one
    } else if (byte < 128 && std::isalnum(byte) == 0 && c != '_' && c != '/') {
      pattern.append("\\").push_back(c);
    } else {
      pattern.push_back(c);
    }
  }
}

std::string path_below(const fs::path& path, const fs::path& top) {
  const fs::path relative = path.lexically_relative(top);
  return relative == "." ? std::string{} : "/" + relative.string();
}

}  // namespace

AtomFiles atom_files_below(const std::string& directory, const shims::AtomTool& tool) {
  AtomCollector collector{tool};
  collector.collect(directory);
  return collector.take();
}

AtomFiles atom_files_listed(const std::string& directory, std::vector<std::string> question) {
  question.push_back(directory.starts_with('-') ? "./" + directory : directory);
  const Listing listing = ask_for_files(std::move(question));
  AtomFiles files;
  files.failure = listing.failure;
  std::set<std::string> names;
  for (const std::string& name : parts_of(listing.out, '\n')) {
    std::error_code error;
    if (files.failure.empty() &&
        (!is_below(name, directory) || !fs::is_regular_file(name, error))) {
      files.failure = "in the list of its files `" + sys::printable(name) +
                      "` is not a file below `" + sys::printable(directory) + "`";
    }
    names.insert(name);
  }
  files.names.assign(names.begin(), names.end());
  return files;
}

int atom_major_version(const std::vector<std::string>& question) {
  const Listing answer = ask_for_files(question);
  const std::size_t at = answer.out.find_first_of("0123456789");
  int major = 0;
  for (std::size_t i = at; i < answer.out.size() && i < at + 4; ++i) {
    if (std::isdigit(static_cast<unsigned char>(answer.out[i])) == 0) {
      break;
    }
    major = major * 10 + (answer.out[i] - '0');
  }
  return major;
}

std::string atom_forbidden_key(const shims::AtomTool& tool, bool is_own_file,
                               const std::string& text) {
  bool is_in_section = is_own_file;
  std::istringstream lines{text};
  for (std::string raw; std::getline(lines, raw);) {
    const std::string line = trimmed(raw);
    if (line.empty() || line.front() == '#' || line.front() == ';') {
      continue;
    }
    if (line.front() == '[' && raw.front() == '[') {
      const std::string name = trimmed(with_spaces_for(line.substr(0, line.find(']')), "[]"));
      is_in_section = shims::atom_listed(tool.section, name);
      continue;
    }
    if (!is_in_section) {
      continue;
    }
    const std::string key =
        trimmed(with_spaces_for(line.substr(0, line.find_first_of("=:")), "\""));
    if (shims::atom_listed(tool.keys, key)) {
      return key;
    }
    const std::string values = with_spaces_for(line, "=\"'[],");
    for (const std::string_view word : shims::atom_words(values)) {
      if (shims::atom_listed(tool.words, word)) {
        return std::string{word};
      }
    }
  }
  return {};
}

std::string atom_settings_refusal(const shims::AtomTool& tool,
                                  const std::vector<std::string>& operands,
                                  const std::vector<std::string>& starts, bool is_pinned) {
  if (tool.markers.empty() && tool.settings.empty()) {
    return {};
  }
  const fs::path common = common_directory(operands);
  std::set<fs::path> seen;
  for (const std::string& start : starts) {
    for (fs::path at = canonical_directory(start); seen.insert(at).second; at = at.parent_path()) {
      std::error_code error;
      const bool is_inner = at != common && !path_below(at, common).starts_with("/..");
      for (const std::string_view marker : shims::atom_words(tool.markers)) {
        if (is_inner && !is_pinned && fs::exists(at / marker, error)) {
          return "`" + sys::printable((at / marker).string()) +
                 "` would count for a part, and does not for the whole";
        }
      }
      for (const std::string_view name : shims::atom_words(tool.settings)) {
        const auto text = sys::read_small_file((at / name).c_str(), kLongestSettings);
        const bool is_own_file = name == "ruff.toml" || name == ".ruff.toml";
        const std::string key = text ? atom_forbidden_key(tool, is_own_file, *text) : std::string{};
        if (!key.empty()) {
          return "`" + sys::printable(key) + "` in `" + sys::printable((at / name).string()) +
                 "` says how files are taken";
        }
      }
    }
  }
  return {};
}

std::string atom_include_pattern(const std::string& directory,
                                 const std::vector<std::string>& names) {
  std::error_code error;
  const fs::path top = fs::canonical(directory, error);
  const fs::path as_named = fs::path{directory}.lexically_normal();
  std::string pattern = "^(?:";
  // The root is one of these; which one depends on the version of black.
  for (fs::path at = top;; at = at.parent_path()) {
    const bool is_last = !at.has_relative_path();
    if (is_last || fs::exists(at / ".git", error) || fs::exists(at / ".hg", error) ||
        fs::exists(at / "pyproject.toml", error)) {
      append_escaped(pattern, path_below(top, at));
      pattern += is_last ? ")/(?:" : "|";
    }
    if (is_last) {
      break;
    }
  }
  for (const std::string& name : names) {
    const fs::path relative = fs::path{name}.lexically_normal().lexically_relative(as_named);
    append_escaped(
        pattern, directory == "." ? fs::path{name}.lexically_normal().string() : relative.string());
    pattern += "|";
  }
  pattern.back() = ')';
  return pattern + "\\Z";
}

}  // namespace onelane::multicall
