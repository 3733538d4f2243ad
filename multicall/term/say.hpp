#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall {

/// `text` with each of its lines fit for a terminal (sys::append_printable): names and paths in
/// it may be anybody's.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Writes `onelane: TEXT` and a newline to standard error in one write, so that lines of
/// several processes never mix; printable_lines() of it. Silent with ONELANE_QUIET=1. Never throws.
void say(std::string_view text) noexcept;

/// As say(), but also with ONELANE_QUIET: the call fails or something is lost.
void say_always(std::string_view text) noexcept;

[[nodiscard]] bool is_quiet() noexcept;

}  // namespace onelane::multicall
