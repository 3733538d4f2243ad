#include "core/settings/toml_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>

// The parser recurses once a level, and its tables are destroyed recursively.
#define TOML_MAX_NESTED_VALUES 16
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <toml++/toml.h>
#pragma GCC diagnostic pop

#include "core/settings/values.hpp"

namespace onelane::settings {
namespace {

/// toml++ 3.3 bounds the nesting of values but not of dotted keys: `a.a.a…` of a megabyte
/// would overflow the stack when the tables are destroyed. A key cannot span lines, so dots
/// a line bound its depth.
constexpr std::ptrdiff_t kMostDotsALine = 64;

/// A settings file has tens of keys. More tables than this only cost time.
constexpr std::ptrdiff_t kMostLines = 20000;

std::string text_of(double value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}

int line_of(const toml::source_region& source) {
  return static_cast<int>(source.begin.line);
}

TomlValue value_of(std::string_view key, const toml::node& node) {
  TomlValue value{.key = std::string{key}, .line = line_of(node.source()), .text = {}, .items = {}};
  value.kind = TomlValue::Kind::Text;
  if (const auto* string = node.as_string()) {
    value.text = string->get();
  } else if (const auto* integer = node.as_integer()) {
    value.text = std::to_string(integer->get());
  } else if (const auto* real = node.as_floating_point()) {
    value.text = text_of(real->get());
  } else if (const auto* boolean = node.as_boolean()) {
    value.text = boolean->get() ? "true" : "false";
  } else if (const auto* array = node.as_array()) {
    value.kind = TomlValue::Kind::List;
    for (const auto& item : *array) {
      if (!item.is_string()) {
        value.kind = TomlValue::Kind::Other;
        break;
      }
      value.items.push_back(item.as_string()->get());
    }
  } else {
    value.kind = TomlValue::Kind::Other;
  }
  return value;
}

std::vector<TomlValue> values_of(const toml::table& table) {
  std::vector<TomlValue> values;
  for (const auto& [key, node] : table) {
    values.push_back(value_of(key.str(), node));
  }
  return values;
}

void read_tools(const toml::node& node, TomlDocument& document) {
  const auto* tools = node.as_table();
  if (tools == nullptr) {
    document.values.push_back(value_of("tools", node));
    return;
  }
  for (const auto& [name, tool] : *tools) {
    if (const auto* table = tool.as_table()) {
      document.tools.push_back(
          {std::string{name.str()}, line_of(tool.source()), values_of(*table)});
    } else {
      document.values.push_back(value_of("tools." + std::string{name.str()}, tool));
    }
  }
}

/// What makes `text` too much for the parser, or empty; `line` is where.
std::string_view find_excess(std::string_view text, int& line) {
  line = 0;
  while (!text.empty()) {
    if (++line > kMostLines) {
      return "too many lines for a settings file";
    }
    const auto end = std::min(text.find('\n'), text.size());
    if (std::ranges::count(text.substr(0, end), '.') > kMostDotsALine) {
      return "too many dots in one line";
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return {};
}

}  // namespace

TomlDocument read_toml(std::string_view text) {
  TomlDocument document;
  if (const auto excess = find_excess(text, document.error_line); !excess.empty()) {
    document.error = excess;
    return document;
  }
  document.error_line = 0;
  const auto result = toml::parse(text);
  if (!result) {
    document.error = clean(result.error().description(), 120);
    document.error_line = line_of(result.error().source());
    return document;
  }
  for (const auto& [key, node] : result.table()) {
    if (key.str() == "tools") {
      read_tools(node, document);
    } else {
      document.values.push_back(value_of(key.str(), node));
    }
  }
  return document;
}

}  // namespace onelane::settings
