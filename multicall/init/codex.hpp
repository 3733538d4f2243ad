#pragma once

#include <string>
#include <string_view>

#include "multicall/init/change.hpp"

namespace onelane::multicall::setup {

/// The text of a new .codex/config.toml for the project at `root`: sets BASH_ENV for every shell
/// that Codex starts. They are login shells, whose profiles would undo a change of PATH.
[[nodiscard]] std::string codex_text(const std::string& root);

/// True if `text` has that line in its table.
[[nodiscard]] bool has_codex_line(std::string_view text, const std::string& root);

/// Adds the line to `change.before`. Refused if that is not TOML, sets PATH or BASH_ENV itself, or
/// has the policy in a form whose meaning another line could change.
[[nodiscard]] Change change_codex(Change change, const std::string& root);

}  // namespace onelane::multicall::setup
