#include "core/journal/line_scanner.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/journal/fields.hpp"
#include "core/sys/text.hpp"

namespace onelane::journal {

bool LineScanner::name(std::string_view& out) noexcept {
  if (!take('"')) {
    return false;
  }
  const std::size_t size = rest().find('"');
  if (size == std::string_view::npos) {
    return false;
  }
  out = rest().substr(0, size);
  at_ += size + 1;
  return take(':');
}

bool LineScanner::text(std::string_view& out) {
  if (!take('"')) {
    return false;
  }
  const char* first = at_;
  pass_plain();
  if (take('"')) {
    out = {first, static_cast<std::size_t>(at_ - 1 - first)};
    return true;
  }
  const std::size_t begin = unescaped_.size();
  unescaped_.append(first, at_);
  while (!take('"')) {
    if (!escape()) {
      return false;
    }
    first = at_;
    pass_plain();
    unescaped_.append(first, at_);
  }
  out = std::string_view{unescaped_}.substr(begin);
  return true;
}

template <class Number>
bool LineScanner::read_number(Number& out) noexcept {
  const char* digits = at_;
  const auto [behind, error] = std::from_chars(at_, end_, out);
  if (error != std::errc{}) {
    return false;
  }
  digits += *digits == '-' ? 1 : 0;
  at_ = behind;
  // No zeros before a number in JSON.
  return *digits != '0' || behind - digits == 1;
}

bool LineScanner::number(std::int64_t& out) noexcept {
  return read_number(out);
}

bool LineScanner::number(std::uint64_t& out) noexcept {
  return read_number(out);
}

bool LineScanner::texts(std::vector<std::string_view>& out) {
  if (!take('[')) {
    return false;
  }
  do {
    if (!text(out.emplace_back())) {
      return false;
    }
  } while (take(','));
  return take(']');
}

bool LineScanner::anything() {
  if (at_ == end_) {
    return false;
  }
  std::string_view ignored;
  switch (*at_) {
    case '"':
      return text(ignored);
    case '{':
      return nested();
    case '[':
      return rest().starts_with("[{") ? nested() : numbers();
    case 't':
      return take("true");
    default:
      return any_number();
  }
}

bool LineScanner::any_number() noexcept {
  std::int64_t negative = 0;
  std::uint64_t positive = 0;
  return at_ != end_ && *at_ == '-' ? number(negative) : number(positive);
}

bool LineScanner::numbers() noexcept {
  if (!take('[')) {
    return false;
  }
  do {
    if (!any_number()) {
      return false;
    }
  } while (take(','));
  return take(']');
}

void LineScanner::pass_plain() noexcept {
  for (;;) {
    while (at_ != end_ && sys::kPlain[static_cast<unsigned char>(*at_)]) {
      ++at_;
    }
    if (at_ == end_ || static_cast<unsigned char>(*at_) < 0x80) {
      return;
    }
    const std::size_t length = sys::sequence_length(rest());
    if (length == 0) {
      return;
    }
    at_ += length;
  }
}

bool LineScanner::escape() {
  if (!take('\\') || at_ == end_) {
    return false;
  }
  constexpr std::string_view kNames = "\"\\nt";
  constexpr std::string_view kMeanings = "\"\\\n\t";
  const auto which = kNames.find(*at_);
  if (which == std::string_view::npos) {
    return unicode_escape();
  }
  unescaped_.push_back(kMeanings[which]);
  ++at_;
  return true;
}

/// Of control characters, C0 and C1, alone.
bool LineScanner::unicode_escape() {
  constexpr std::string_view kStart = "u00";
  unsigned code = 0;
  if (end_ - at_ < 5 || !rest().starts_with(kStart)) {
    return false;
  }
  if (std::from_chars(at_ + 3, at_ + 5, code, 16).ptr != at_ + 5) {
    return false;
  }
  at_ += 5;
  if (code >= 0x80) {
    unescaped_.push_back(static_cast<char>(0xc0U | code >> 6U));
    code = 0x80U | (code & 0x3fU);
  }
  unescaped_.push_back(static_cast<char>(code));
  return true;
}

/// A card, or a list of processes: few lines have one.
bool LineScanner::nested() {
  const std::size_t size = end_of_nested(rest(), kDeepest - 1);
  if (size == std::string_view::npos || !nlohmann::json::accept(rest().substr(0, size))) {
    return false;
  }
  at_ += size;
  return true;
}

}  // namespace onelane::journal
