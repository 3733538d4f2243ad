#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "multicall/cli/tree.hpp"

namespace onelane::multicall {

/// `text` for Markdown: its marks escaped, except in `code`.
[[nodiscard]] std::string markdown(std::string_view text);

/// One entry of a definition list in Markdown: `term` as code, and its `text`, which is Markdown.
[[nodiscard]] std::string definition(std::string_view term, std::string_view text);

/// A page of the manual, in Markdown, with its lines `<!-- VERBS -->`, `<!-- VERB NAME -->` and
/// `<!-- SETTINGS -->` filled in: the verbs from `tree`, as `--help` has them, and `settings`,
/// which is Markdown. Pure.
[[nodiscard]] std::string filled_page(std::string page, const std::vector<Verb>& tree,
                                      const std::string& settings);

}  // namespace onelane::multicall
