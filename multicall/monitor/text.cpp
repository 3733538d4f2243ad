#include "multicall/monitor/text.hpp"

#include <fmt/core.h>
#include <langinfo.h>
#include <wchar.h>

#include <array>
#include <clocale>
#include <cstdio>
#include <ctime>

#include "core/guard/card.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall::monitor {
namespace {

constexpr std::size_t kLongest = 2'048;
constexpr int kMostCombining = 2;
constexpr std::uint64_t kManyMegabytes = 10'000;  ///< Shown in GB from here on.
constexpr double kGigabyte = 1 << 30;

bool is_utf8() {
  return std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
}

/// One character of valid UTF-8.
struct Character {
  std::string_view bytes;
  char32_t code = 0;
};

/// Removes the first character of `text`, which is valid UTF-8 and not empty.
Character take(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  Character out{text.substr(0, length), lead};
  if (length > 1) {
    out.code = lead & (0x7fU >> length);
    for (const char byte : out.bytes.substr(1)) {
      out.code = out.code << 6U | (static_cast<unsigned char>(byte) & 0x3fU);
    }
  }
  text.remove_prefix(out.bytes.size());
  return out;
}

/// Marks, embeddings, overrides and isolates of bidirectional text, and the byte order mark.
bool changes_direction(char32_t code) {
  return code == 0x61c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

int width_of(char32_t code) {
  return code < 0x80 ? 1 : ::wcwidth(static_cast<wchar_t>(code));
}

}  // namespace

std::string Line::text() const {
  std::string out;
  for (const Span& span : spans) {
    out += span.text;
  }
  return out;
}

bool use_unicode() {
  (void)std::setlocale(LC_CTYPE, "");
  if (!is_utf8() && guard::locale_is_utf8()) {
    (void)std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  return is_utf8();
}

std::string clean_text(std::string_view text, bool unicode) {
  const std::string printable = for_terminal(text, kLongest);
  std::string out;
  int combining = kMostCombining;  // no base yet to combine with
  for (std::string_view rest = printable; !rest.empty();) {
    const Character next = take(rest);
    const int width =
        changes_direction(next.code) || (!unicode && next.code >= 0x80) ? -1 : width_of(next.code);
    if (width > 0) {
      combining = 0;
      out += next.bytes;
    } else if (width < 0) {
      combining = 0;
      out += '?';
    } else if (combining < kMostCombining) {
      ++combining;
      out += next.bytes;
    }
  }
  return out;
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const int width = width_of(take(text).code);
    columns += width > 0 ? static_cast<std::size_t>(width) : 0;
  }
  return columns;
}

std::string clip(std::string_view text, std::size_t columns, bool unicode) {
  if (columns_of(text) <= columns) {
    return std::string{text};
  }
  std::string out;
  std::size_t used = 1;  // for the mark
  while (!text.empty()) {
    const Character next = take(text);
    const int width = width_of(next.code);
    used += width > 0 ? static_cast<std::size_t>(width) : 0;
    if (used > columns) {
      break;
    }
    out += next.bytes;
  }
  return columns == 0 ? "" : out + (unicode ? "…" : "~");
}

std::string left(std::string_view text, std::size_t columns, bool unicode) {
  std::string out = clip(text, columns, unicode);
  return out.append(columns - std::min(columns, columns_of(out)), ' ');
}

std::string right(std::string_view text, std::size_t columns) {
  return std::string(columns - std::min(columns, columns_of(text)), ' ') + std::string{text};
}

Line clip(const Line& line, std::size_t columns, bool unicode) {
  Line out;
  out.is_selected = line.is_selected;
  for (const Span& span : line.spans) {
    if (columns == 0) {
      break;
    }
    out.add(clip(span.text, columns, unicode), span.style);
    columns -= std::min(columns, columns_of(out.spans.back().text));
  }
  return out;
}

std::string share_words(std::uint64_t used, std::uint64_t limit) {
  if (limit == 0) {
    return size_words(used);
  }
  return (limit >> 20U) >= kManyMegabytes
             ? fmt::format("{} of {}", decimal(static_cast<double>(used) / kGigabyte),
                           size_words(limit))
             : fmt::format("{} of {} MB", used >> 20U, limit >> 20U);
}

std::string clock_words(std::int64_t wall) {
  const std::time_t seconds = wall;
  std::tm local{};
  std::array<char, 16> text{};
  ::localtime_r(&seconds, &local);
  return {text.data(), std::strftime(text.data(), text.size(), "%H:%M:%S", &local)};
}

std::string decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace onelane::multicall::monitor
