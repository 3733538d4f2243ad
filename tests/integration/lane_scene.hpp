#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/sandbox.hpp"

namespace onelane::test {

/// The onelane executable behind the sandbox's links.
[[nodiscard]] std::string onelane_of(const Sandbox& sandbox);

/// The value of `name` in the environment of the sandbox's programs; empty if unset.
[[nodiscard]] std::string variable_of(const Sandbox& sandbox, const std::string& name);

/// `env -i PATH=…` and then `words`: an environment with nothing of a run in it.
[[nodiscard]] std::vector<std::string> scrubbed(const Sandbox& sandbox,
                                                const std::vector<std::string>& words);

/// What `onelane status --json` says in `directory`, the project when empty.
[[nodiscard]] nlohmann::json status_of(Sandbox& sandbox, const std::string& directory = {});

/// Waits until exactly `count` calls wait in the lane; false if that does not happen.
[[nodiscard]] bool comes_to_queue(Sandbox& sandbox, std::size_t count,
                                  const std::string& directory = {});

/// Waits until `text` is in the file at `path`; false if that does not happen.
[[nodiscard]] bool comes_to_contain(const std::string& path, const std::string& text);
[[nodiscard]] std::string contents_of(const std::string& path);

/// Makes another git project below the sandbox's root, which adopts onelane.
std::string make_project(Sandbox& sandbox, const std::string& name);

/// A pytest that holds the lane of `directory` until it is released. Traces `NAME in` and
/// `NAME out`.
class Holder {
 public:
  explicit Holder(Sandbox& sandbox, const std::string& name = "holder",
                  const std::string& directory = {});
  [[nodiscard]] pid_t pid() const { return running_.pid(); }
  /// Lets the run end and waits for it.
  Ended release();

 private:
  Gate gate_;
  Running running_;
};

}  // namespace onelane::test
