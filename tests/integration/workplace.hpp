#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/sandbox.hpp"

namespace onelane::test {

/// A directory of its own in a sandbox, where `onelane` is an administrator's command: a fresh
/// git repository that has not adopted onelane, or a plain directory.
class Workplace {
 public:
  enum class Kind { Repository, Plain };
  explicit Workplace(Kind kind = Kind::Repository);

  [[nodiscard]] Sandbox& sandbox() { return sandbox_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(std::string_view name) const;

  /// `onelane WORDS` in the directory, or in another one.
  Ended onelane(const std::vector<std::string>& words, const std::string& directory = {});
  /// As onelane(), but fails the test unless it ends with 0.
  Ended must(const std::vector<std::string>& words, const std::string& directory = {});
  /// Any command in the directory, with the shims of the sandbox first on PATH.
  Ended run(const std::vector<std::string>& argv);
  [[nodiscard]] Running start(const std::vector<std::string>& argv);
  /// The system's git, for setting things up.
  void git(const std::vector<std::string>& words);

  void write(std::string_view name, std::string_view text) const;
  [[nodiscard]] std::string read(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  /// Every path below the directory, with its type, mode and content or link target.
  [[nodiscard]] std::map<std::string, std::string> tree() const;

 private:
  Sandbox sandbox_{Mode::Shim};
  std::string path_;
};

/// Lines of `text`, without their newlines.
[[nodiscard]] std::vector<std::string> lines_of(std::string_view text);

}  // namespace onelane::test
