#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// What init made in a project, so that uninit removes exactly that. One line per entry in
/// `<state>/manifest`, which `git clean -fdx` does not reach: "link make", "created .envrc", "line
/// .envrc", "block .env.development", "tool cargo", "pass make", "directory .husky", "text HASH 0 0
/// FILE".
class Manifest {
 public:
  /// Reads `<state_dir>/manifest`; empty if there is none.
  explicit Manifest(const std::string& state_dir);
  [[nodiscard]] bool has(std::string_view kind, std::string_view name) const;
  void add(std::string_view kind, std::string_view name);
  /// The names of all entries of a kind.
  [[nodiscard]] std::set<std::string> names(std::string_view kind) const;
  /// Writes it back. Throws SystemError.
  void save() const;

 private:
  std::string path_;
  std::set<std::string> lines_;
};

/// Reads a text file of the project; empty if it does not exist. Throws SystemError if it exists
/// but is not a regular file or cannot be read.
[[nodiscard]] std::string read_text(const std::string& path);

/// Replaces a text file in one step (rename(2)), keeping its mode; creates it with mode 0644. Does
/// nothing if it has that text already; true if it was written.
bool write_text(const std::string& path, std::string_view text);

/// True for a valid tool name: it needs no quoting as a file name, as a section of onelane.toml and
/// in a shell, and is not a name of onelane itself.
[[nodiscard]] bool is_tool_name(std::string_view name);

/// True if all names are valid tool names; else says in one line which one is not.
[[nodiscard]] bool are_names(const std::vector<std::string>& names);

/// Where the calling user's trust is kept; empty if neither HOME nor XDG_DATA_HOME is set.
[[nodiscard]] std::string own_trust_directory();

/// The path of the running executable, for links.
[[nodiscard]] std::string own_path();

}  // namespace onelane::multicall
