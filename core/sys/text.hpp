#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::sys {

/// Appends `text` to a JSON string that is open in `out`: escaped, control characters (C0, DEL
/// and C1) as \uXXXX, bytes that are not UTF-8 as U+FFFD. Of more than `limit` bytes the first
/// ones and "…". Throws std::bad_alloc.
void append_escaped(std::string& out, std::string_view text, std::size_t limit);

/// Appends `text` for people: each control character, each that is invisible or turns the direction
/// of writing, and each byte that is not UTF-8 as '?', so that it stays one line, moves no cursor
/// and reads as it is. Cut as append_escaped does.
void append_printable(std::string& out, std::string_view text, std::size_t limit);

/// What append_printable appends.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 4096);

/// Printable ASCII that stands for itself in a JSON string, by byte.
inline constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 0x7f; ++i) {
    plain[i] = i != '"' && i != '\\';
  }
  return plain;
}();

/// Length of the UTF-8 sequence that `text`, which is not empty, begins with, 0 when it is none:
/// overlong forms, surrogates and what lies above U+10FFFF are none (RFC 3629).
[[nodiscard]] std::size_t sequence_length(std::string_view text) noexcept;

/// True where `text` is nothing but such sequences.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `text` for a terminal: what is not printable ASCII as '?', cut at `limit` with `...`.
[[nodiscard]] std::string clean(std::string_view text, std::size_t limit = 60);

/// True when `text` holds a byte below 0x20 or 0x7f.
[[nodiscard]] bool has_control(std::string_view text);

/// The candidate that `text` was probably meant to be (edit distance 2 or less), or empty.
[[nodiscard]] std::string_view nearest(std::string_view text,
                                       const std::vector<std::string_view>& candidates);

}  // namespace onelane::sys
