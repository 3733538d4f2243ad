#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// Finds a text inside one line of output that arrives in pieces, as soon as it is complete and
/// without storing any output. Terminal escape sequences (ECMA-48: colours, titles, links) are
/// skipped, and a carriage return begins a new line as a newline does. Lines with onelane's own
/// prefix are ignored: they may share the stream and quote the call.
class LineMatch {
 public:
  /// `text` must not be empty.
  explicit LineMatch(std::string text);

  /// True once the text has been seen, in this piece or an earlier one.
  [[nodiscard]] bool add(std::string_view piece);

 private:
  enum class Escape { None, Begun, Sequence, String, StringEnd };

  /// False for a byte that belongs to an escape sequence.
  [[nodiscard]] bool is_shown(char c) noexcept;
  void add_shown(char c) noexcept;
  void begin_line() noexcept;

  std::string text_;
  std::vector<std::size_t> borders_;  ///< Of each prefix of the text (Knuth, Morris, Pratt).
  std::size_t matched_ = 0;           ///< How much of the text the line so far ends with.
  std::size_t own_ = 0;               ///< How much of onelane's prefix the line begins with.
  bool may_be_own_ = true;            ///< So far the line is the beginning of that prefix.
  bool is_own_ = false;
  bool is_in_line_ = false;  ///< The text is in the line so far.
  bool is_seen_ = false;
  Escape escape_ = Escape::None;
};

}  // namespace onelane::multicall
