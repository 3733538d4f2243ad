#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onelane::multicall {

/// "0.4s", "48s", "3m12s", "2h05m".
[[nodiscard]] std::string duration_words(std::chrono::nanoseconds span);

/// "1st", "2nd", "3rd", "11th".
[[nodiscard]] std::string ordinal(std::size_t number);

/// "1 run", "3 runs": the number, then `one` or `many`.
[[nodiscard]] std::string counted(std::uint64_t number, std::string_view one,
                                  std::string_view many);

/// `text` as one word of a POSIX shell, in single quotes if it needs them.
[[nodiscard]] std::string shell_word(std::string_view text);

/// "~32s", "longer than usual", or empty without an estimate.
[[nodiscard]] std::string eta_words(std::optional<std::chrono::milliseconds> eta, bool is_overdue);

/// "12:03:48" local time, or date and time if that was more than twelve hours ago.
[[nodiscard]] std::string clock_words(std::int64_t wall_seconds);

/// A duration from a record, for people: in days from two days on; a negative one counts as zero.
[[nodiscard]] std::string span_words(std::int64_t ms);

/// "340 MB", "2.1 GB".
[[nodiscard]] std::string size_words(std::uint64_t bytes);

/// `text` as one line of at most `limit` bytes that cannot move the cursor.
[[nodiscard]] std::string for_terminal(std::string_view text, std::size_t limit = 400);

}  // namespace onelane::multicall
