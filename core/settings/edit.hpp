#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace onelane::settings {

// Pure functions from text to text, for init and uninit. Lines that they did not write are never
// changed: remove(add(x)) == x for every x without such an addition, with and without a newline at
// its end. Every addition ends in a newline, so that a later `>>` starts a line of its own.

/// `text` with the block `# onelane` … `# /onelane` around `body` (lines, none of them empty) at
/// its end; unchanged when add_block wrote one before, whatever it contains now.
[[nodiscard]] std::string add_block(std::string_view text, std::string_view body);

/// `text` without the block that add_block wrote; unchanged when the block is not complete.
[[nodiscard]] std::string remove_block(std::string_view text);

/// `text` with the seeds' lines in the block of add_block activated, if they are still as env_block
/// wrote them; every other line of the block stays as it is.
[[nodiscard]] std::string activate_seeds(std::string_view text);

/// The body that init writes. Names carry ONELANE_, because other programs load this file too.
/// The built-in figures are comments; the seeds' figures (2048 MB, 1800 s) are active lines
/// with `seeds_active`, else comments. `ram_mb`: memory of the machine.
[[nodiscard]] std::string env_block(bool seeds_active, std::uint64_t ram_mb);

/// `text` with `line` as its last line; unchanged when it already has that line.
[[nodiscard]] std::string add_line(std::string_view text, std::string_view line);

/// `text` without the last `line` that is not indented: an indented one was moved by the user into
/// an `if` or the like, which may not be left empty.
[[nodiscard]] std::string remove_line(std::string_view text, std::string_view line);

/// `text` with `[tools.NAME]` of class `tool_class` at its end; unchanged when it has one. nullopt
/// when `text` is not TOML, or says `tools = ...` in a form that cannot be added to.
[[nodiscard]] std::optional<std::string> add_tool(std::string_view text, std::string_view name,
                                                  std::string_view tool_class);

/// `text` with a `[tools.NAME]` at its end whose `pass` has `word`; unchanged when it already has
/// one that does. nullopt when `text` is not TOML, or has the section without the word: it is the
/// user's.
[[nodiscard]] std::optional<std::string> add_pass(std::string_view text, std::string_view name,
                                                  std::string_view word);

/// `text` without the `[tools.NAME]` that add_tool or add_pass wrote; unchanged once a user has
/// added a line to it.
[[nodiscard]] std::string remove_tool(std::string_view text, std::string_view name);

/// The same for several tools, in whatever order they were added.
[[nodiscard]] std::string remove_tools(std::string_view text, const std::set<std::string>& names);

}  // namespace onelane::settings
