#include "core/sys/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/sys/hex.hpp"

namespace onelane::sys {
namespace {

constexpr std::string_view kCut = "\u2026";
constexpr std::string_view kReplacement = "\ufffd";

unsigned byte_at(std::string_view text, std::size_t i) noexcept {
  return static_cast<unsigned char>(text[i]);
}

void append_unicode_escape(std::string& out, unsigned code) {
  out.append("\\u00");
  append_hex(out, static_cast<unsigned char>(code));
}

void append_ascii_escape(std::string& out, char byte) {
  switch (byte) {
    case '"':
      out.append("\\\"");
      break;
    case '\\':
      out.append("\\\\");
      break;
    case '\n':
      out.append("\\n");
      break;
    case '\t':
      out.append("\\t");
      break;
    default:
      append_unicode_escape(out, static_cast<unsigned char>(byte));
  }
}

/// `text` cut to `limit`, never in the middle of a sequence.
std::string_view head_of(std::string_view text, std::size_t limit) noexcept {
  std::size_t end = limit;
  while (end > 0 && limit - end < 4 && (byte_at(text, end) & 0xc0U) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

/// U+0080 to U+009F: a terminal may take one for the start of an escape sequence.
bool is_c1(std::string_view sequence) noexcept {
  return sequence.size() == 2 && byte_at(sequence, 0) == 0xc2 && byte_at(sequence, 1) < 0xa0;
}

/// Invisible, or reverses the text next to it: U+200B to U+200F, U+2028 to U+202E, U+2060 to U+2069
/// and U+FEFF. A line with these does not show what it contains (Unicode TR 36, 2.10).
bool is_deceptive(std::string_view sequence) noexcept {
  if (sequence == "\xef\xbb\xbf") {
    return true;
  }
  if (sequence.size() != 3 || !sequence.starts_with("\xe2")) {
    return false;
  }
  const unsigned second = byte_at(sequence, 1);
  const unsigned third = byte_at(sequence, 2);
  return (second == 0x80 &&
          ((third >= 0x8b && third <= 0x8f) || (third >= 0xa8 && third <= 0xae))) ||
         (second == 0x81 && third >= 0xa0 && third <= 0xa9);
}

template <class Ascii, class Control, class Deceptive, class Invalid>
void append_cleaned(std::string& out, std::string_view text, const Ascii& ascii,
                    const Control& control, const Deceptive& deceptive, const Invalid& invalid) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && kPlain[byte_at(text, end)]) {
      ++end;
    }
    out.append(text, i, end - i);
    if (end == text.size()) {
      return;
    }
    i = end;
    const std::size_t length = sequence_length(text.substr(i));
    if (length == 0) {
      invalid();
    } else if (length == 1) {
      ascii(text[i]);
    } else if (is_c1(text.substr(i, length))) {
      control(byte_at(text, i + 1));
    } else if (is_deceptive(text.substr(i, length))) {
      deceptive(text.substr(i, length));
    } else {
      out.append(text, i, length);
    }
    i += length == 0 ? 1 : length;
  }
}

/// Damerau-Levenshtein distance: letters changed, added, omitted, or two neighbours swapped.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before;
  std::vector<std::size_t> above;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row.back();
}

}  // namespace

std::size_t sequence_length(std::string_view text) noexcept {
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) {
    return 1;
  }
  const std::size_t length = lead < 0xc2   ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) {
    return 0;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, i) & 0xc0U) != 0x80) {
      return 0;
    }
  }
  const unsigned second = byte_at(text, 1);
  const bool is_out_of_range = (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                               (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f);
  return is_out_of_range ? 0 : length;
}

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data(), std::min(text.size(), sizeof eight));
    const bool is_ascii = (eight & 0x8080808080808080U) == 0;  // most texts are
    const std::size_t length =
        is_ascii ? std::min(text.size(), sizeof eight) : sequence_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

void append_escaped(std::string& out, std::string_view text, std::size_t limit) {
  const bool is_cut = text.size() > limit;
  append_cleaned(
      out, is_cut ? head_of(text, limit) : text, [&](char c) { append_ascii_escape(out, c); },
      [&](unsigned code) { append_unicode_escape(out, code); },
      [&](std::string_view raw) { out.append(raw); }, [&] { out.append(kReplacement); });
  if (is_cut) {
    out.append(kCut);
  }
}

void append_printable(std::string& out, std::string_view text, std::size_t limit) {
  const bool is_cut = text.size() > limit;
  append_cleaned(
      out, is_cut ? head_of(text, limit) : text,
      [&](char c) { out.push_back(c == '"' || c == '\\' ? c : '?'); },
      [&](unsigned) { out.push_back('?'); }, [&](std::string_view) { out.push_back('?'); },
      [&] { out.push_back('?'); });
  if (is_cut) {
    out.append(kCut);
  }
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  append_printable(out, text, limit);
  return out;
}

std::string clean(std::string_view text, std::size_t limit) {
  std::string shown{text.substr(0, limit)};
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > limit ? shown + "..." : shown;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

std::string_view nearest(std::string_view text, const std::vector<std::string_view>& candidates) {
  std::string_view best;
  std::size_t least = 3;
  if (text.size() > 40) {
    return best;
  }
  for (const auto candidate : candidates) {
    const auto d = distance(text, candidate);
    // Letters are swapped more often than omitted.
    const bool is_nearer = d < least || (d == least && candidate.size() == text.size() &&
                                         best.size() != text.size() && !best.empty());
    if (is_nearer && d < candidate.size()) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace onelane::sys
