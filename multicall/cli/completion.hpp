#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/cli/tree.hpp"

namespace onelane::multicall {

/// A completion script for each shell. It has everything that `tree` describes built in; ids, tools
/// and the like come from `onelane __complete` at completion time.
[[nodiscard]] std::string bash_completion(const std::vector<Verb>& tree);
[[nodiscard]] std::string fish_completion(const std::vector<Verb>& tree);
[[nodiscard]] std::string zsh_completion(const std::vector<Verb>& tree);

/// `text` with `before` put in front of each of `letters`.
[[nodiscard]] std::string escaped(std::string_view text, std::string_view letters,
                                  std::string_view before);

}  // namespace onelane::multicall
