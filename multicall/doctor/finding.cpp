#include "multicall/doctor/finding.hpp"

#include <nlohmann/json.hpp>

namespace onelane::multicall::doctor {

std::string_view word_of(Level level) noexcept {
  switch (level) {
    case Level::Ok:
      return "ok";
    case Level::Note:
      return "note";
    case Level::Wrong:
      return "wrong";
  }
  return "wrong";
}

nlohmann::json to_json(const Finding& finding) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(text);
  };
  return {{"check", finding.check},
          {"level", word_of(finding.level)},
          {"what", finding.what},
          {"where", text_or_null(finding.where)},
          {"todo", text_or_null(finding.todo)},
          {"command", text_or_null(finding.command)},
          {"fixable", static_cast<bool>(finding.fix)}};
}

std::string list_words(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace onelane::multicall::doctor
