#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "shims/shim.hpp"

namespace onelane::test {

/// Facts given by the test.
struct MapFacts : shims::Facts {
  using Table = std::map<std::string, std::string, std::less<>>;

  bool terminal = false;
  Table variables;
  Table aliases;
  Table scripts;
  std::set<std::string, std::less<>> hooks;

  [[nodiscard]] bool stdin_is_terminal() const override { return terminal; }
  [[nodiscard]] std::optional<std::string> environment(std::string_view name) const override {
    return look_up(variables, name);
  }
  [[nodiscard]] std::optional<std::string> git_alias(std::string_view name) const override {
    return look_up(aliases, name);
  }
  [[nodiscard]] std::optional<std::string> npm_script(std::string_view name) const override {
    return look_up(scripts, name);
  }
  [[nodiscard]] bool git_hook(std::string_view name) const override { return hooks.contains(name); }

 private:
  static std::optional<std::string> look_up(const Table& table, std::string_view name) {
    const auto found = table.find(name);
    return found == table.end() ? std::nullopt : std::optional{found->second};
  }
};

}  // namespace onelane::test
