#include "core/settings/toml_layer.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "core/settings/toml_reader.hpp"
#include "core/settings/trust.hpp"
#include "core/sys/text.hpp"
#include "core/sys/values.hpp"

namespace onelane::settings {
namespace {

constexpr std::array<std::string_view, 4> kClasses{"lane", "pass", "service", "editor"};
constexpr std::string_view kNeedsTrust = " needs `onelane trust` and was left out";

/// True when `path` (absolute, normal) is `root` or below it, before and after links are resolved.
bool stays_below(const std::string& root, const std::string& path) {
  const auto below = [](const std::filesystem::path& top, const std::filesystem::path& inner) {
    return std::mismatch(top.begin(), top.end(), inner.begin(), inner.end()).first == top.end();
  };
  std::error_code error;
  const auto real_root = std::filesystem::canonical(root, error);
  if (error) {
    return false;
  }
  const auto real = std::filesystem::weakly_canonical(path, error);
  return !error && below(real_root, real);
}

class TomlLayer {
 public:
  TomlLayer(const TomlOrigin& where, TrustCheck& check, Loaded& loaded)
      : where_{where}, check_{check}, loaded_{loaded} {}

  void apply(const TomlDocument& document) {
    if (!document.error.empty()) {
      report(document.error_line, {}, "is not TOML and was left out: " + document.error);
      return;
    }
    for (const auto& value : document.values) {
      top(value);
    }
    for (const auto& tool : document.tools) {
      if (!is_tool_name(tool.name)) {
        report(tool.line, "tools." + tool.name,
               "is not a tool's name; accepted: letters, digits, '.', '_', '+', '-'");
        continue;
      }
      apply_tool(tool);
    }
  }

 private:
  [[nodiscard]] Source source(int line, std::string_view key) const {
    return {where_.origin, where_.file, line, sys::clean(key)};
  }

  void report(int line, std::string_view key, std::string text) {
    loaded_.problems.push_back({source(line, key), std::move(text)});
  }

  [[nodiscard]] bool users_own() const { return where_.origin == Origin::User; }

  void top(const TomlValue& value) {
    if (value.key == "root") {
      if (value.kind != TomlValue::Kind::Text || !sys::parse_bool(value.text)) {
        report(value.line, value.key, "accepted: true, false");
      }
      return;
    }
    const Field* const field = find_field(value.key);
    if (field == nullptr) {
      report(value.line, value.key, unknown_key(value.key));
    } else if (field->allowed == Allowed::ProjectFiles && users_own()) {
      report(value.line, value.key, kProjectOnly);
    } else if (auto wrong = set(*field, value)) {
      report(value.line, value.key, std::move(*wrong));
    }
  }

  std::optional<std::string> set(const Field& field, const TomlValue& value) {
    const auto from = source(value.line, value.key);
    switch (value.kind) {
      case TomlValue::Kind::Text:
        if (!users_own()) {
          if (auto wrong = check_path(field, value.text, where_.root, check_)) {
            return wrong;
          }
        }
        return apply_text(loaded_.settings, field, value.text, from);
      case TomlValue::Kind::List:
        return apply_list(loaded_.settings, field, value.items, from);
      case TomlValue::Kind::Other:
        break;
    }
    return "has the wrong type; accepted: a string, a number, true or false, a list of strings";
  }

  void apply_tool(const TomlTool& tool) {
    const auto& tools = loaded_.settings.tools;
    const auto known = tools.find(tool.name);
    ToolSettings merged = known == tools.end() ? ToolSettings{} : known->second;
    merged.source = source(tool.line, "tools." + tool.name);
    merged.trusted = users_own() || check_.passes();
    for (const auto& value : tool.values) {
      if (auto wrong = set_tool(merged, tool.name, value)) {
        report(value.line, "tools." + tool.name + "." + value.key, std::move(*wrong));
      }
    }
    loaded_.settings.tools[tool.name] = std::move(merged);
  }

  std::optional<std::string> set_tool(ToolSettings& tool, std::string_view name,
                                      const TomlValue& value) {
    const bool text = value.kind == TomlValue::Kind::Text;
    const bool loosens =
        value.key == "real" || where_.has_policy == nullptr || where_.has_policy(name);
    if (value.key == "class") {
      if (!text || std::ranges::find(kClasses, value.text) == kClasses.end()) {
        return "accepted: \"lane\", \"pass\", \"service\", \"editor\"";
      }
      if (loosens && value.text != "lane" && !tool.trusted) {
        return "what loosens " + std::string{name} + std::string{kNeedsTrust};
      }
      tool.fallback_class = value.text;
      return std::nullopt;
    }
    if (value.key == "pass" || value.key == "service") {
      return set_list(value.key == "pass" ? tool.pass : tool.service, value,
                      loosens && !tool.trusted ? name : std::string_view{});
    }
    if (value.key == "real") {
      return set_real(tool, value);
    }
    return "is not known; accepted: class, pass, service, real";
  }

  /// `untrusted` is the tool's name when the list may not be set, else empty.
  static std::optional<std::string> set_list(std::vector<std::string>& list, const TomlValue& value,
                                             std::string_view untrusted) {
    if (value.kind != TomlValue::Kind::List) {
      return "accepted: a list of strings";
    }
    if (!untrusted.empty() && !value.items.empty()) {
      return "what loosens " + std::string{untrusted} + std::string{kNeedsTrust};
    }
    list = value.items;
    return std::nullopt;
  }

  std::optional<std::string> set_real(ToolSettings& tool, const TomlValue& value) {
    const bool relative_is_fine = !users_own() && !where_.root.empty();
    if (value.kind != TomlValue::Kind::Text || value.text.empty() || sys::has_control(value.text) ||
        (!relative_is_fine && !value.text.starts_with('/'))) {
      return relative_is_fine ? "accepted: a path, absolute or relative to the project"
                              : "accepted: an absolute path";
    }
    if (!tool.trusted) {
      return "the path of a tool" + std::string{kNeedsTrust};
    }
    tool.real = absolute_path(where_.root, value.text);
    return std::nullopt;
  }

  const TomlOrigin& where_;
  TrustCheck& check_;
  Loaded& loaded_;
};

}  // namespace

bool TrustCheck::passes() {
  if (!answer_) {
    answer_ = is_trusted(directory_, path_, content_);
  }
  return *answer_;
}

void apply_toml(const TomlOrigin& where, std::string_view text, TrustCheck check, Loaded& loaded) {
  TomlLayer{where, check, loaded}.apply(read_toml(text));
}

std::optional<std::string> check_path(const Field& field, std::string_view value,
                                      const std::string& root, TrustCheck& check) {
  if (field.form != Form::Path || sys::trim(value).empty() || sys::has_control(value) ||
      check.passes() || stays_below(root, absolute_path(root, std::string{sys::trim(value)}))) {
    return std::nullopt;
  }
  return "a directory outside the project" + std::string{kNeedsTrust};
}

std::string absolute_path(const std::string& root, const std::string& path) {
  if (path.empty() || root.empty()) {
    return path;
  }
  return (std::filesystem::path{root} / path).lexically_normal().string();
}

std::string unknown_key(std::string_view key) {
  std::vector<std::string_view> names{"root", "tools"};
  for (const Field& field : all_fields()) {
    names.push_back(field.name);
  }
  const auto meant = sys::nearest(key, names);
  return meant.empty() ? "is not known; `onelane settings` lists the names"
                       : "is not known; did you mean '" + std::string{meant} + "'?";
}

}  // namespace onelane::settings
