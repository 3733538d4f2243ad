#pragma once

#include <string>
#include <string_view>

#include "multicall/init/change.hpp"

namespace onelane::multicall::setup {

/// All of a new .codex/config.toml for the project at `root`: BASH_ENV in every shell that Codex
/// starts. Its shells are login shells, whose profiles would undo a PATH.
[[nodiscard]] std::string codex_text(const std::string& root);

/// Whether `text` has that line in its table.
[[nodiscard]] bool has_codex_line(std::string_view text, const std::string& root);

/// Adds it to `change.before`; refused when that is no TOML, sets PATH or BASH_ENV itself, or has
/// the policy in a form of which a line more could change the meaning.
[[nodiscard]] Change change_codex(Change change, const std::string& root);

}  // namespace onelane::multicall::setup
