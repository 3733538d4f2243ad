#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/project/project.hpp"
#include "multicall/init/change.hpp"

namespace onelane::multicall::setup {

inline constexpr std::array<std::string_view, 4> kAgents{"claude", "codex", "cursor", "generic"};

/// The file that puts the shims first in every shell that reads it, below the root: bash -c and
/// bash -lc do for BASH_ENV (bash(1), INVOCATION: after the profiles), sh for ENV.
inline constexpr std::string_view kShellFile = ".onelane/shell";

/// The text of that file for the project at `root`. Any POSIX shell can read it, also repeatedly.
[[nodiscard]] std::string shell_text(const std::string& root);

/// The file that makes `agent` read kShellFile; empty for generic.
[[nodiscard]] std::string agent_file(std::string_view agent);

/// True if `text`, of agent_file(), has what `init --agent` adds for the project at `root`.
[[nodiscard]] bool has_agent_lines(std::string_view agent, std::string_view text,
                                   const std::string& root);

/// The plan of `init --agent AGENT`. Reads two files below the root; runs nothing.
[[nodiscard]] Plan plan_agent(const project::Project& project, const std::string& agent);

/// The text of a new .codex/config.toml for the project at `root`: sets BASH_ENV for every shell
/// that Codex starts. They are login shells, whose profiles would undo a change of PATH.
[[nodiscard]] std::string codex_text(const std::string& root);

/// True if `text` has that line in its table.
[[nodiscard]] bool has_codex_line(std::string_view text, const std::string& root);

/// Adds the line to `change.before`. Refused if that is not TOML, sets PATH or BASH_ENV itself, or
/// has the policy in a form whose meaning another line could change.
[[nodiscard]] Change change_codex(Change change, const std::string& root);

}  // namespace onelane::multicall::setup
