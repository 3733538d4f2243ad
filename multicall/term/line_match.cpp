#include "multicall/term/line_match.hpp"

#include <utility>

namespace onelane::multicall {
namespace {

constexpr std::string_view kOwnPrefix = "onelane: ";

constexpr char kEscape = '\x1b';
constexpr char kBell = '\a';

}  // namespace

LineMatch::LineMatch(std::string text) : text_{std::move(text)}, borders_(text_.size() + 1, 0) {
  std::size_t border = 0;
  for (std::size_t i = 1; i < text_.size(); ++i) {
    while (border > 0 && text_[i] != text_[border]) {
      border = borders_[border];
    }
    border += text_[i] == text_[border] ? 1U : 0U;
    borders_[i + 1] = border;
  }
}

bool LineMatch::add(std::string_view piece) {
  for (const char c : piece) {
    if (is_seen_) {
      break;
    }
    if (c == '\n' || c == '\r') {
      is_seen_ = is_in_line_ && !is_own_;
      begin_line();
    } else if (is_shown(c)) {
      add_shown(c);
    }
  }
  return is_seen_;
}

bool LineMatch::is_shown(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  switch (escape_) {
    case Escape::None:
      escape_ = c == kEscape ? Escape::Begun : Escape::None;
      return byte >= 0x20 && byte != 0x7f;
    case Escape::Begun:
      if (c == '[') {
        escape_ = Escape::Sequence;
      } else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') {
        escape_ = Escape::String;
      } else if (byte < 0x20 || byte > 0x2f) {  // 0x20 to 0x2f: more bytes follow, as in ESC ( B
        escape_ = Escape::None;
      }
      return false;
    case Escape::Sequence:
      escape_ = byte >= 0x40 && byte <= 0x7e ? Escape::None : Escape::Sequence;
      return false;
    case Escape::String:
      escape_ = c == kBell ? Escape::None : c == kEscape ? Escape::StringEnd : Escape::String;
      return false;
    case Escape::StringEnd:
      escape_ = c == '\\' ? Escape::None : Escape::String;
      return false;
  }
  return true;
}

void LineMatch::add_shown(char c) noexcept {
  if (may_be_own_) {
    may_be_own_ = c == kOwnPrefix[own_];
    own_ += may_be_own_ ? 1U : 0U;
    is_own_ = own_ == kOwnPrefix.size();
    may_be_own_ = may_be_own_ && !is_own_;
  }
  if (is_in_line_ || is_own_) {
    is_seen_ = is_in_line_ && !is_own_ && !may_be_own_;
    return;
  }
  while (matched_ > 0 && c != text_[matched_]) {
    matched_ = borders_[matched_];
  }
  matched_ += c == text_[matched_] ? 1U : 0U;
  is_in_line_ = matched_ == text_.size();
  is_seen_ = is_in_line_ && !may_be_own_;
}

void LineMatch::begin_line() noexcept {
  matched_ = own_ = 0;
  may_be_own_ = true;
  is_own_ = is_in_line_ = false;
  escape_ = Escape::None;
}

}  // namespace onelane::multicall
