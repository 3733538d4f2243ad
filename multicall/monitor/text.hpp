#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "multicall/term/words.hpp"

namespace onelane::multicall::monitor {

/// What a piece of text is; the terminal decides how it looks.
enum class Style : std::uint8_t { Plain, Dim, Bold, Good, Warn, Bad, Name, Bar };

struct Span {
  std::string text;  ///< Clean: see clean_text.
  Style style = Style::Plain;
};

/// One line of the screen.
struct Line {
  std::vector<Span> spans;
  bool is_selected = false;
  void add(std::string text, Style style = Style::Plain) {
    spans.push_back({std::move(text), style});
  }
  /// Only its text.
  [[nodiscard]] std::string text() const;
};

/// True when LC_CTYPE is UTF-8 now. Sets the environment's locale first (setlocale(3)), and C.UTF-8
/// if that names a UTF-8 locale which is not installed. Process-wide: call it once.
[[nodiscard]] bool use_unicode();

/// `text` for a terminal. These become '?': control characters, bytes that are not UTF-8,
/// characters that change the direction of text, and those that wcwidth(3) does not know; without
/// `unicode` also everything but ASCII. At most two combining characters on a base, none without
/// one. Cut at 2 KiB.
[[nodiscard]] std::string clean_text(std::string_view text, bool unicode);

/// The columns that clean text takes.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// The first `columns` columns of clean text; cut text ends in "…", in ASCII in "~".
[[nodiscard]] std::string clip(std::string_view text, std::size_t columns, bool unicode);

/// Exactly `columns` columns: cut, or padded with blanks after or before.
[[nodiscard]] std::string left(std::string_view text, std::size_t columns, bool unicode);
[[nodiscard]] std::string right(std::string_view text, std::size_t columns);

/// Cuts a line to `columns` columns.
[[nodiscard]] Line clip(const Line& line, std::size_t columns, bool unicode);

/// "812 of 2048 MB", "0.8 of 12.3 GB"; without a limit (0) only size_words().
[[nodiscard]] std::string share_words(std::uint64_t used, std::uint64_t limit);

/// "15:04:05", local time.
[[nodiscard]] std::string clock_words(std::int64_t wall);

/// "3.1"
[[nodiscard]] std::string decimal(double value);

}  // namespace onelane::multicall::monitor
