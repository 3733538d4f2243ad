#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onelane::multicall::setup {

/// One run of bytes that goes into a text; everything around it stays as it is.
struct Insertion {
  std::size_t at = 0;
  std::string bytes;

  [[nodiscard]] std::string into(std::string_view text) const {
    return std::string{text.substr(0, at)} + bytes + std::string{text.substr(at)};
  }
};

/// A text of JSON in which comments are allowed, as editors write their settings; nothing when it
/// is none. A trailing comma is none.
[[nodiscard]] std::optional<nlohmann::ordered_json> parse_json(std::string_view text);

/// Adds `members` in front of the others to the object that `path` names, or, when `members` is one
/// without a name, its value to that list. Follows the indentation that is there. What it gives is
/// proved: the text behind it holds what it held before and the members, nothing else. Nothing when
/// there is no such object or list, when it has one of the names, or where that proof fails.
[[nodiscard]] std::optional<Insertion> insert_json(
    std::string_view text, const std::vector<std::string>& path,
    const std::vector<std::pair<std::string, nlohmann::ordered_json>>& members);

}  // namespace onelane::multicall::setup
