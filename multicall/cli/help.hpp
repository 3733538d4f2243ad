#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/cli/tree.hpp"

namespace onelane::multicall {

/// `onelane status [--json]`, or with `[options]` if the list would not fit in a line.
[[nodiscard]] std::string usage_of(const Verb& verb);

/// "-a, --all", "--priority N", "ID".
[[nodiscard]] std::string names_of(const Argument& argument);

/// `text` in lines of at most 80 columns, later ones indented by `indent`, and a newline.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t indent);

/// What `onelane VERB --help` prints, in lines of at most 80 columns.
[[nodiscard]] std::string help_of(const Verb& verb);

/// What `onelane --help` prints: the verbs in their groups.
[[nodiscard]] std::string overview_of(Commands commands);

/// The heading of a group; empty for Group::Hidden.
[[nodiscard]] std::string_view title_of(Group group) noexcept;

/// The groups that are shown, in the order of the overview.
[[nodiscard]] std::span<const Group> shown_groups() noexcept;

}  // namespace onelane::multicall
