#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/cli/tree.hpp"

namespace onelane::multicall {

/// A completion script of its own for each shell: everything that `tree` says stands in it;
/// ids, tools and the like come from `onelane __complete` when they are asked for.
[[nodiscard]] std::string bash_completion(const std::vector<Verb>& tree);
[[nodiscard]] std::string fish_completion(const std::vector<Verb>& tree);
[[nodiscard]] std::string zsh_completion(const std::vector<Verb>& tree);

/// `text` with each of `letters` replaced by `before` and the letter.
[[nodiscard]] std::string escaped(std::string_view text, std::string_view letters,
                                  std::string_view before);

}  // namespace onelane::multicall
