#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onelane::sys {

/// Appends `byte` as two lower-case hexadecimal digits.
inline void append_hex(std::string& out, unsigned char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out.push_back(kDigits[byte >> 4U]);
  out.push_back(kDigits[byte & 15U]);
}

/// `bytes` as two lower-case hexadecimal digits each.
[[nodiscard]] inline std::string to_hex(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    append_hex(out, static_cast<unsigned char>(c));
  }
  return out;
}

/// The value of a hexadecimal digit of either case, 0 to 15; nullopt for any other character.
[[nodiscard]] constexpr std::optional<unsigned> hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') {
    return static_cast<unsigned>(c - '0');
  }
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') {
    return static_cast<unsigned>(lower - 'a' + 10);
  }
  return std::nullopt;
}

/// The bytes for which to_hex returns `digits`; nullopt when there are none.
[[nodiscard]] inline std::optional<std::string> from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const auto high = hex_digit(digits[i]);
    const auto low = i + 1 < digits.size() ? hex_digit(digits[i + 1]) : std::nullopt;
    if (!high || !low) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(*high << 4U | *low));
  }
  return to_hex(out) == digits ? std::optional{std::move(out)} : std::nullopt;
}

}  // namespace onelane::sys
