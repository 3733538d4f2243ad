#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onelane::multicall::setup {

/// Bytes to insert into a text; everything around them stays as it is.
struct Insertion {
  std::size_t at = 0;
  std::string bytes;

  [[nodiscard]] std::string into(std::string_view text) const {
    return std::string{text.substr(0, at)} + bytes + std::string{text.substr(at)};
  }
};

/// Parses JSON with comments, as in editors' settings; nothing if it cannot be parsed. A trailing
/// comma is an error.
[[nodiscard]] std::optional<nlohmann::ordered_json> parse_json(std::string_view text);

/// Names and values; an item of a list has no name.
using Members = std::vector<std::pair<std::string, nlohmann::ordered_json>>;

/// Inserts `members` before the others into the object or list that `path` names. Nothing if there
/// is no such object or list, if it has one of the names, or if `text` is not byte for byte what
/// nlohmann::json writes with the same indentation: comments or another layout would not survive.
[[nodiscard]] std::optional<Insertion> insert_json(std::string_view text,
                                                   const std::vector<std::string>& path,
                                                   const Members& members);

}  // namespace onelane::multicall::setup
