#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace onelane::multicall {

/// `text` with each of its lines fit for a terminal (journal::append_printable): names and paths in
/// it may be anybody's.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// Writes `onelane: TEXT` and a newline to standard error in one write, so that lines of
/// several processes never mix; printable_lines() of it. Silent with ONELANE_QUIET=1. Never throws.
void say(std::string_view text) noexcept;

/// As say(), but also with ONELANE_QUIET: the call fails or something is lost.
void say_always(std::string_view text) noexcept;

[[nodiscard]] bool is_quiet() noexcept;

/// "0.4s", "48s", "3m12s", "2h05m".
[[nodiscard]] std::string duration_words(std::chrono::nanoseconds span);

/// "1st", "2nd", "3rd", "11th".
[[nodiscard]] std::string ordinal(std::size_t number);

/// `text` as one word of a POSIX shell, in single quotes where it needs them.
[[nodiscard]] std::string shell_word(std::string_view text);

/// Name of `uid` from /etc/passwd (no NSS in a static executable), else "uid 1000".
[[nodiscard]] std::string user_name(unsigned uid);

/// Home of the effective user from /etc/passwd; throws SystemError when it has no entry.
[[nodiscard]] std::string home_of_user();

}  // namespace onelane::multicall
