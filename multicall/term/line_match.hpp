#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// Looks for a text inside a line of output that comes in pieces, as soon as it is there and
/// without keeping any of it. Escape sequences of a terminal (ECMA-48: colours, titles, links) do
/// not count, and a carriage return begins a line as a newline does. Lines of onelane's own, which
/// may be in the same stream and name the call, are left out.
class LineMatch {
 public:
  /// `text` is not empty.
  explicit LineMatch(std::string text);

  /// True when the text has been seen, now or before.
  [[nodiscard]] bool add(std::string_view piece);

 private:
  enum class Escape { None, Begun, Sequence, String, StringEnd };

  /// False for a byte that belongs to an escape sequence.
  [[nodiscard]] bool is_shown(char c) noexcept;
  void add_shown(char c) noexcept;
  void begin_line() noexcept;

  std::string text_;
  std::vector<std::size_t> borders_;  ///< Of each beginning of the text (Knuth, Morris, Pratt).
  std::size_t matched_ = 0;           ///< Bytes of the text that end the line so far.
  std::size_t own_ = 0;               ///< Bytes of our own prefix that the line begins with.
  bool may_be_own_ = true;            ///< The line so far is a beginning of that prefix.
  bool is_own_ = false;
  bool is_in_line_ = false;  ///< The text is in the line, as far as we have it.
  bool is_seen_ = false;
  Escape escape_ = Escape::None;
};

}  // namespace onelane::multicall
