#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onelane::settings {

/// One `key = value`, already plain text: a number, string or boolean as the user would write it in
/// .env.development.
struct TomlValue {
  enum class Kind { Text, List, Other };
  std::string key;
  int line = 0;
  Kind kind = Kind::Other;  ///< Other: a table, a date, or a list with other items than strings.
  std::string text;         ///< With Kind::Text.
  std::vector<std::string> items;  ///< With Kind::List.
};

/// One `[tools.NAME]`.
struct TomlTool {
  std::string name;
  int line = 0;
  std::vector<TomlValue> values;
};

struct TomlDocument {
  std::vector<TomlValue> values;  ///< Top level without `tools`, sorted by key.
  std::vector<TomlTool> tools;
  std::string error;  ///< Not empty when the text is not TOML; then nothing else is set. Safe for a
                      ///< terminal.
  int error_line = 0;
};

/// Reads TOML as data. Bounded for hostile text: nesting and dotted keys deeper than a settings
/// file needs are an error, so that neither stack nor time grows with the text.
[[nodiscard]] TomlDocument read_toml(std::string_view text);

}  // namespace onelane::settings
