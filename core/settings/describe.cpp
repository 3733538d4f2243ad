#include <array>
#include <cstdio>
#include <type_traits>

#include "core/settings/schema.hpp"
#include "core/settings/settings.hpp"
#include "core/sys/text.hpp"
#include "core/sys/values.hpp"

namespace onelane::settings {
namespace {

constexpr std::size_t kWidest = 400;

std::string join(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) {
    text += (text.empty() ? "" : ",") + item;
  }
  return text;
}

std::string text_of(std::uint64_t value) {
  return std::to_string(value);
}
std::string text_of(int value) {
  return std::to_string(value);
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(std::chrono::milliseconds value) {
  return sys::format_duration(value);
}
std::string text_of(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}
template <class Enumeration>
requires std::is_enum_v<Enumeration> std::string text_of(Enumeration value) {
  return std::string{kWords<Enumeration>.at(static_cast<std::size_t>(value))};
}
std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(const std::vector<std::string>& value) {
  return join(value);
}

std::string text_of(Scope value, const Settings& settings) {
  constexpr std::array<const char*, 3> kWords{"worktree", "repository", "user"};
  return value == Scope::Named ? settings.scope_name.value
                               : kWords.at(static_cast<std::size_t>(value));
}

Row row_of(const Settings& settings, const Field& field) {
  return std::visit(
      [&](auto member) -> Row {
        const auto& setting = settings.*member;
        std::string text;
        if constexpr (requires { text_of(setting.value, settings); }) {
          text = text_of(setting.value, settings);
        } else {
          text = text_of(setting.value);
        }
        return {std::string{field.name}, sys::clean(text, kWidest), place_of(setting.source)};
      },
      field.member);
}

void add_tool_rows(const std::string& name, const ToolSettings& tool, std::vector<Row>& rows) {
  const auto place = place_of(tool.source);
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) {
      rows.push_back({"tools." + name + "." + key, sys::clean(value, kWidest), place});
    }
  };
  add("class", tool.fallback_class);
  add("pass", join(tool.pass));
  add("service", join(tool.service));
  add("real", tool.real);
}

}  // namespace

std::string place_of(const Source& source) {
  switch (source.origin) {
    case Origin::BuiltIn:
      return "built-in";
    case Origin::Environment:
      return "environment (" + source.key + ")";
    case Origin::CommandLine:
      return "command line (" + source.key + ")";
    case Origin::User:
    case Origin::Project:
    case Origin::DotEnv:
      break;
  }
  const std::string file = sys::clean(source.file, kWidest);
  return source.line == 0 ? file : file + ":" + std::to_string(source.line);
}

std::vector<Row> describe(const Settings& settings) {
  std::vector<Row> rows;
  for (const Field& field : all_fields()) {
    rows.push_back(row_of(settings, field));
  }
  for (const auto& [name, tool] : settings.tools) {
    add_tool_rows(name, tool, rows);
  }
  return rows;
}

std::string describe(const Problem& problem) {
  // A value that is not from a file has its key as its place already.
  const bool in_file = !problem.where.file.empty() && !problem.where.key.empty();
  return place_of(problem.where) + ": " + (in_file ? problem.where.key + ": " : std::string{}) +
         problem.text;
}

}  // namespace onelane::settings
