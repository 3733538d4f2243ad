#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// What a policy asks about the world, read from this process and its files when asked.
class ProcessFacts : public shims::Facts {
 public:
  explicit ProcessFacts(const Call& call) : call_{call} {}
  [[nodiscard]] bool stdin_is_terminal() const override;
  [[nodiscard]] std::optional<std::string> environment(std::string_view name) const override;
  /// Asks the real git (`git config`), which reads and runs nothing; about 2 ms.
  [[nodiscard]] std::optional<std::string> git_alias(std::string_view name) const override;
  [[nodiscard]] std::optional<std::string> npm_script(std::string_view name) const override;
  [[nodiscard]] bool git_hook(std::string_view name) const override;

 private:
  [[nodiscard]] std::optional<std::string> ask_git(std::vector<std::string> question) const;
  const Call& call_;
};

/// The directory a call acts in: `-C`, `--prefix` applied to the current one, as text.
[[nodiscard]] std::string acting_directory(const shims::Target& target);

}  // namespace onelane::multicall
