#include "multicall/init/json_text.hpp"

#include <algorithm>

namespace onelane::multicall::setup {
namespace {

using nlohmann::ordered_json;

/// The layout of a JSON text, as far as dump() can reproduce it.
struct Form {
  int indent = -1;  ///< -1: all on one line.
  char blank = ' ';
  std::string end;  ///< What follows the last bracket.

  [[nodiscard]] std::string written(const ordered_json& value) const {
    return value.dump(indent, blank) + end;
  }
};

/// The layout by the first indented line. An empty object gets two blanks.
Form form_of(std::string_view text) {
  Form form;
  form.end = text.ends_with('\n') ? "\n" : "";
  const std::size_t newline = text.find('\n');
  if (newline == std::string_view::npos || newline + 1 == text.size()) {
    form.indent = text.starts_with("{}") ? 2 : -1;
    return form;
  }
  const std::string_view line = text.substr(newline + 1);
  form.blank = line.starts_with('\t') ? '\t' : ' ';
  form.indent = static_cast<int>(std::min(line.find_first_not_of(form.blank), line.size()));
  return form;
}

/// False if one of the members cannot be added.
bool add(ordered_json& into, const Members& members) {
  if (into.is_array()) {
    for (const auto& [name, value] : members) {
      if (!name.empty()) {
        return false;
      }
      into.insert(into.begin(), value);
    }
    return true;
  }
  if (!into.is_object()) {
    return false;
  }
  ordered_json grown = ordered_json::object();
  for (const auto& [name, value] : members) {
    if (name.empty() || into.contains(name)) {
      return false;
    }
    grown[name] = value;
  }
  grown.update(into);
  into = std::move(grown);
  return true;
}

}  // namespace

std::optional<ordered_json> parse_json(std::string_view text) {
  ordered_json value = ordered_json::parse(text, nullptr, false, true);
  return value.is_discarded() ? std::nullopt : std::optional{std::move(value)};
}

std::optional<Insertion> insert_json(std::string_view text, const std::vector<std::string>& path,
                                     const Members& members) {
  auto value = parse_json(text);
  const Form form = form_of(text);
  if (!value || form.written(*value) != text) {
    return std::nullopt;
  }
  ordered_json* container = &*value;
  for (const std::string& key : path) {
    if (!container->is_object() || !container->contains(key)) {
      return std::nullopt;
    }
    container = &(*container)[key];
  }
  if (!add(*container, members)) {
    return std::nullopt;
  }
  const std::string after = form.written(*value);
  const auto at = static_cast<std::size_t>(std::ranges::mismatch(text, after).in1 - text.begin());
  Insertion insertion{at, after.substr(at, after.size() - text.size())};
  return insertion.into(text) == after ? std::optional{std::move(insertion)} : std::nullopt;
}

}  // namespace onelane::multicall::setup
