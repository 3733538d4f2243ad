#include "multicall/ci/make_rules.hpp"

#include <algorithm>

namespace onelane::multicall::ci {
namespace {

std::vector<std::string> names_in(std::string_view text) {
  constexpr std::string_view kBetween = " \t\\\r\n";
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    at = std::min(text.find_first_not_of(kBetween, at), text.size());
    const std::size_t end = std::min(text.find_first_of(kBetween, at), text.size());
    if (end > at && text.substr(at, end - at) != "|") {
      names.emplace_back(text.substr(at, end - at));
    }
    at = end;
  }
  return names;
}

/// The colon of a rule, which is none of `:=` and of what is assigned.
std::size_t rule_colon(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || line.front() == '#' ||
      line.front() == '\t' || line.substr(0, colon).find('=') != std::string_view::npos) {
    return std::string_view::npos;
  }
  const std::size_t behind = line.find_first_not_of(':', colon);
  const bool assigns = behind != std::string_view::npos && line[behind] == '=';
  return assigns ? std::string_view::npos : colon;
}

MakeRule rule_of(std::string_view line, std::size_t colon, int number) {
  MakeRule rule{.targets = names_in(line.substr(0, colon)), .needs = {}, .recipe = {}};
  std::string_view behind = line.substr(colon);
  behind.remove_prefix(std::min(behind.find_first_not_of(':'), behind.size()));
  const std::size_t semicolon = behind.find(';');
  if (semicolon != std::string_view::npos) {
    const std::string recipe = "\t" + std::string{behind.substr(semicolon + 1)} + "\n";
    for (audit::Script& script : audit::scripts_in(audit::Kind::Makefile, recipe)) {
      script.line = number;
      rule.recipe.push_back(std::move(script));
    }
  }
  behind = behind.substr(0, std::min(semicolon, behind.find('#')));
  rule.needs = names_in(behind);
  return rule;
}

}  // namespace

std::vector<MakeRule> make_rules(std::string_view content) {
  const std::vector<audit::Script> scripts = audit::scripts_in(audit::Kind::Makefile, content);
  auto script = scripts.begin();
  std::vector<MakeRule> rules;
  int number = 0;
  for (std::size_t at = 0; at < content.size();) {
    const int first = ++number;
    std::size_t end = std::min(content.find('\n', at), content.size());
    while (end > at && end < content.size() && content[end - 1] == '\\') {
      end = std::min(content.find('\n', end + 1), content.size());
      ++number;
    }
    const std::string_view line = content.substr(at, end - at);
    if (const std::size_t colon = rule_colon(line); colon != std::string_view::npos) {
      rules.push_back(rule_of(line, colon, first));
    }
    for (; script != scripts.end() && script->line <= number; ++script) {
      if (!rules.empty()) {
        rules.back().recipe.push_back(*script);
      }
    }
    at = end + 1;
  }
  return rules;
}

}  // namespace onelane::multicall::ci
