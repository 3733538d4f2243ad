#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace onelane::sys {

/// A run's id: eleven of these thirty-two letters and digits, unique among all lanes and boots. It
/// appears in lane files, journals, names of logs and cgroups, and in ONELANE_HELD of every process
/// of the run. All of these may have been written by others, so text that is not a valid id names
/// no run, and ids are compared whole.
inline constexpr std::size_t kRunIdLength = 11;
inline constexpr std::string_view kRunIdLetters = "abcdefghijkmnopqrstuvwxyz2345678";

[[nodiscard]] constexpr bool is_run_id(std::string_view text) noexcept {
  return text.size() == kRunIdLength &&
         text.find_first_not_of(kRunIdLetters) == std::string_view::npos;
}

/// Calls `visit` for each run id in `held` (ids joined by commas, outermost run first), in that
/// order; anything else in it is skipped.
template <class Visit>
constexpr void for_each_run(std::string_view held, const Visit& visit) {
  while (!held.empty()) {
    const std::size_t comma = std::min(held.find(','), held.size());
    if (is_run_id(held.substr(0, comma))) {
      visit(held.substr(0, comma));
    }
    held.remove_prefix(std::min(comma + 1, held.size()));
  }
}

/// True when `held` names the run `id`.
[[nodiscard]] constexpr bool names_run(std::string_view held, std::string_view id) noexcept {
  bool found = false;
  for_each_run(held, [&](std::string_view named) { found = found || named == id; });
  return found;
}

}  // namespace onelane::sys
