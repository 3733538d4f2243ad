#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall {

/// `text` with each line made safe for a terminal (sys::append_printable): other users may have
/// chosen the names and paths in it.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Writes `onelane: TEXT` and a newline to standard error, through printable_lines() and in one
/// write, so that lines of several processes never mix. Silent with ONELANE_QUIET=1. Never throws.
void say(std::string_view text) noexcept;

/// Like say(), but not silenced by ONELANE_QUIET: for a call that fails, or something that is lost.
void say_always(std::string_view text) noexcept;

[[nodiscard]] bool is_quiet() noexcept;

}  // namespace onelane::multicall
