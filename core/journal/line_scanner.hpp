#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::journal {

/// Passes over one line in the form in which to_line writes: no blanks, few escapes, whole
/// numbers. Each function moves on behind what it has read; false means "not in that form",
/// whatever it is, and where it stands then is nowhere. What it takes is valid JSON.
class LineScanner {
 public:
  /// Texts that are not in the line as they are go to `unescaped`, which must have room for the
  /// whole line: it must not move while there are views into it.
  LineScanner(std::string_view line, std::string& unescaped)
      : at_{line.data()}, end_{line.data() + line.size()}, unescaped_{unescaped} {}

  [[nodiscard]] bool is_at_end() const noexcept { return at_ == end_; }
  bool take(char c) noexcept {
    const bool is_there = at_ != end_ && *at_ == c;
    at_ += is_there ? 1 : 0;
    return is_there;
  }
  /// `text` has two characters or more.
  bool take(std::string_view text) noexcept {
    // The second character tells most names apart; the first is a quote.
    const bool is_there = end_ - at_ > 1 && at_[1] == text[1] && rest().starts_with(text);
    at_ += is_there ? text.size() : 0;
    return is_there;
  }
  /// The name of a field, with its quotes and its colon: whatever is between the quotes, for a
  /// caller that knows the names.
  bool name(std::string_view& out) noexcept;
  /// A string, with its quotes.
  bool text(std::string_view& out);
  bool number(std::int64_t& out) noexcept;
  bool number(std::uint64_t& out) noexcept;
  /// An array of strings, at least one; adds them to `out`.
  bool texts(std::vector<std::string_view>& out);
  /// Any value of a record: a string, a number, true, an array of numbers, an object, an array
  /// of objects.
  bool anything();

 private:
  template <class Number>
  bool read_number(Number& out) noexcept;
  bool any_number() noexcept;
  bool numbers() noexcept;
  void pass_plain() noexcept;
  bool escape();
  bool unicode_escape();
  bool nested();
  [[nodiscard]] std::string_view rest() const noexcept {
    return {at_, static_cast<std::size_t>(end_ - at_)};
  }

  const char* at_;
  const char* end_;
  std::string& unescaped_;
};

}  // namespace onelane::journal
