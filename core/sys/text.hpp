#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::sys {

/// Appends `text` to an open JSON string in `out`: escaped, control characters (C0, DEL and C1) as
/// \uXXXX, bytes that are not UTF-8 as U+FFFD. A text longer than `limit` bytes is cut and ends in
/// "…". Throws std::bad_alloc.
void append_escaped(std::string& out, std::string_view text, std::size_t limit);

/// Appends `text` for display: each control character, each character that is invisible or changes
/// the writing direction, and each byte that is not UTF-8 as '?', so that the text stays one line,
/// moves no cursor and reads as it is. Cut like in append_escaped.
void append_printable(std::string& out, std::string_view text, std::size_t limit);

/// The text that append_printable appends.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 4096);

/// Printable ASCII that needs no escape in a JSON string, by byte.
inline constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 0x7f; ++i) {
    plain[i] = i != '"' && i != '\\';
  }
  return plain;
}();

/// Length of the UTF-8 sequence at the start of `text`, which must not be empty; 0 when invalid:
/// overlong forms, surrogates and code points above U+10FFFF (RFC 3629).
[[nodiscard]] std::size_t sequence_length(std::string_view text) noexcept;

/// True when `text` consists only of such sequences.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `text` for a terminal: anything but printable ASCII as '?', cut at `limit` with `...`.
[[nodiscard]] std::string clean(std::string_view text, std::size_t limit = 60);

/// True when `text` holds a byte below 0x20 or 0x7f.
[[nodiscard]] bool has_control(std::string_view text);

/// The candidate that `text` was probably meant to be (edit distance 2 or less), or empty.
[[nodiscard]] std::string_view nearest(std::string_view text,
                                       const std::vector<std::string_view>& candidates);

}  // namespace onelane::sys
