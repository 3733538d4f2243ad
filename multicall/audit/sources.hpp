#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/audit/rules.hpp"

namespace onelane::multicall::audit {

/// The kind of a file, by its path in the project.
enum class Kind { None, Shell, Makefile, Just, Yaml, PackageJson, Tox, Nox };
[[nodiscard]] Kind kind_of(std::string_view path);

/// One piece of shell in a file.
struct Script {
  std::string text;
  int line = 1;  ///< Number of its first line in the file.
  Setting setting = Setting::Plain;
  std::vector<std::string> words;  ///< In place of `text`: an argument vector (noxfile).
};

/// The scripts of a file.
struct Scripts {
  std::vector<Script> all;  ///< In order.
  std::string fault;        ///< Why the rest could not be read; empty if all could.
};

/// The scripts in a file of that kind: recipes of a Makefile, values of `run:`, `script:`,
/// `entry:`, `cmd:` and the like in YAML, scripts of a package.json. Pure. Files other than YAML
/// are read line by line; what cannot be recognised that way is left out.
[[nodiscard]] Scripts scripts_in(Kind kind, std::string_view content);

/// The part of scripts_in() for YAML.
[[nodiscard]] Scripts scripts_of_yaml(std::string_view content);

}  // namespace onelane::multicall::audit
