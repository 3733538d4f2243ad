#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// What init made in a project, so that uninit removes just that. One line an entry in
/// `<state>/manifest`, which `git clean -fdx` does not reach: "link make", "created .envrc",
/// "line .envrc", "block .env.development", "tool cargo", "pass make", "directory .husky",
/// "text HASH 0 0 FILE".
class Manifest {
 public:
  /// Reads `<state_dir>/manifest`; empty when there is none.
  explicit Manifest(const std::string& state_dir);
  [[nodiscard]] bool has(std::string_view kind, std::string_view name) const;
  void add(std::string_view kind, std::string_view name);
  /// Names of all entries of a kind.
  [[nodiscard]] std::set<std::string> names(std::string_view kind) const;
  /// Writes it back. Throws SystemError.
  void save() const;

 private:
  std::string path_;
  std::set<std::string> lines_;
};

/// Reads a text file of the project; empty when it does not exist. Throws SystemError when
/// it exists but is no regular file or unreadable.
[[nodiscard]] std::string read_text(const std::string& path);

/// Replaces a text file in one step (rename(2)), keeping its mode; makes it with 0644. Does
/// nothing when the text is the same already; true when it was written.
bool write_text(const std::string& path, std::string_view text);

/// What can be the name of a tool: a file, a section of onelane.toml and a word in a shell as it
/// stands, and not onelane itself.
[[nodiscard]] bool is_tool_name(std::string_view name);

/// False, said in one line, when one of the names can be no link, section or shell word, or
/// is one of onelane's own.
[[nodiscard]] bool are_names(const std::vector<std::string>& names);

/// Where the calling user's trust is kept; empty where neither HOME nor XDG_DATA_HOME says so.
[[nodiscard]] std::string own_trust_directory();

/// The executable that is running, for links.
[[nodiscard]] std::string own_path();

}  // namespace onelane::multicall
