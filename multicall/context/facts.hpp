#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "multicall/context/call.hpp"
#include "shims/shim.hpp"

namespace onelane::multicall {

/// The facts that a policy asks for, read from this process and its files at that moment. Borrows
/// `call`.
class ProcessFacts : public shims::Facts {
 public:
  explicit ProcessFacts(const Call& call) : call_{call} {}
  [[nodiscard]] bool stdin_is_terminal() const override;
  [[nodiscard]] std::optional<std::string> environment(std::string_view name) const override;
  /// Blocks about 2 ms for the real git (`git config`), which runs nothing of the user's.
  [[nodiscard]] std::optional<std::string> git_alias(std::string_view name) const override;
  [[nodiscard]] std::optional<std::string> npm_script(std::string_view name) const override;
  [[nodiscard]] bool git_hook(std::string_view name) const override;

 private:
  [[nodiscard]] std::optional<std::string> ask_git(std::vector<std::string> question) const;
  const Call& call_;
};

/// The directory that a call acts on: its `-C` or `--prefix` options joined onto ".", as text only.
[[nodiscard]] std::string acting_directory(const shims::Target& target);

}  // namespace onelane::multicall
