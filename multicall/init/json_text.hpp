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

/// Names and values; an item of a list has no name.
using Members = std::vector<std::pair<std::string, nlohmann::ordered_json>>;

/// Adds `members` in front of the others to the object or list that `path` names. Nothing when
/// there is no such object or list, when it has one of the names, and where `text` is not byte for
/// byte what nlohmann::json writes for its value with the indentation that is there: a comment, or
/// another layout, would not survive.
[[nodiscard]] std::optional<Insertion> insert_json(std::string_view text,
                                                   const std::vector<std::string>& path,
                                                   const Members& members);

}  // namespace onelane::multicall::setup
