#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/audit/rules.hpp"

namespace onelane::multicall::audit {

/// What kind of file it is, by its path in the project.
enum class Kind { None, Shell, Makefile, Just, Yaml, PackageJson, Tox, Nox };
[[nodiscard]] Kind kind_of(std::string_view path);

/// One piece of shell in a file.
struct Script {
  std::string text;
  int line = 1;  ///< Of its first line, in the file.
  Setting setting = Setting::Plain;
  std::vector<std::string> words;  ///< Instead of `text`: words that no shell reads (noxfile).
};

/// The scripts of a file.
struct Scripts {
  std::vector<Script> all;  ///< In their order.
  std::string fault;        ///< Why the file could be read to this point only; empty: to its end.
};

/// The scripts in a file of that kind: the recipes of a Makefile, the values of `run:`, `script:`,
/// `entry:`, `cmd:` and the like in YAML, the scripts of a package.json. Pure; what a reader of
/// lines cannot make out in other files than YAML is left out.
[[nodiscard]] Scripts scripts_in(Kind kind, std::string_view content);

/// Part of scripts_in.
[[nodiscard]] Scripts scripts_of_yaml(std::string_view content);

}  // namespace onelane::multicall::audit
