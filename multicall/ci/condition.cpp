#include "multicall/ci/condition.hpp"

#include <algorithm>
#include <optional>
#include <string>

namespace onelane::multicall::ci {
namespace {

constexpr int kDeepestParentheses = 32;

/// A value as text, `true` and `false` among them; nothing when it is only known in the job.
using Value = std::optional<std::string>;

bool is_false(const Value& value) {
  return value && (*value == "false" || value->empty());
}

bool is_true(const Value& value) {
  return value && !is_false(value);
}

Value word_of(bool value) {
  return value ? "true" : "false";
}

/// What a name or call is in a run where all is green.
Value green_value(std::string_view name) {
  if (name == "always()" || name == "success()" || name == "true") {
    return "true";
  }
  if (name == "failure()" || name == "cancelled()" || name == "false") {
    return "false";
  }
  const bool is_result =
      name == "job.status" || (name.starts_with("needs.") && name.ends_with(".result")) ||
      (name.starts_with("steps.") && (name.ends_with(".outcome") || name.ends_with(".conclusion")));
  return is_result ? Value{"success"} : std::nullopt;
}

/// Reads one expression from left to right; stops where it cannot go on.
class Condition {
 public:
  explicit Condition(std::string_view text) : text_{text} {}

  /// Nothing where it was not understood to its end.
  Value value() {
    const Value all = either(0);
    skip_blanks();
    return at_ == text_.size() ? all : std::nullopt;
  }

 private:
  Value either(int depth) {
    Value left = both(depth);
    while (take("||")) {
      const Value right = both(depth);
      left = is_true(left) || is_true(right)     ? Value{"true"}
             : is_false(left) && is_false(right) ? Value{"false"}
                                                 : std::nullopt;
    }
    return left;
  }

  Value both(int depth) {
    Value left = equal(depth);
    while (take("&&")) {
      const Value right = equal(depth);
      left = is_false(left) || is_false(right) ? Value{"false"}
             : is_true(left) && is_true(right) ? Value{"true"}
                                               : std::nullopt;
    }
    return left;
  }

  Value equal(int depth) {
    const Value left = single(depth);
    const bool differs = take("!=");
    if (!differs && !take("==")) {
      return left;
    }
    const Value right = single(depth);
    return left && right ? word_of((*left == *right) != differs) : std::nullopt;
  }

  Value single(int depth) {
    skip_blanks();
    if (depth >= kDeepestParentheses || at_ == text_.size()) {
      return std::nullopt;
    }
    if (take("!")) {
      const Value inner = single(depth + 1);
      return inner ? word_of(is_false(inner)) : std::nullopt;
    }
    if (take("(")) {
      const Value inner = either(depth + 1);
      return take(")") ? inner : std::nullopt;
    }
    return text_[at_] == '\'' ? quoted() : named();
  }

  Value quoted() {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    std::string inner{text_.substr(at_ + 1, end - at_ - 1)};
    at_ = end + 1;
    return inner;
  }

  /// A name, with the arguments of a call.
  Value named() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_of(" \t()=!&|'", at_), text_.size());
    std::string name{text_.substr(begin, at_ - begin)};
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (at_ < text_.size() && text_[at_] == '(') {
      const std::size_t end = std::min(text_.find(')', at_), text_.size());
      const bool is_plain = text_.substr(at_, end - at_).find_first_not_of("( ") == text_.npos;
      at_ = std::min(end + 1, text_.size());
      return is_plain ? green_value(name + "()") : std::nullopt;
    }
    return green_value(name);
  }

  void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t", at_), text_.size()); }

  bool take(std::string_view sign) {
    skip_blanks();
    const std::string_view rest = text_.substr(at_);
    const bool is_there = rest.starts_with(sign) && !(sign == "!" && rest.starts_with("!="));
    at_ += is_there ? sign.size() : 0;
    return is_there;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool skips_when_green(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.back())) {
    text.remove_suffix(1);
  }
  if (text.starts_with("${{") && text.ends_with("}}") && text.find("}}") == text.size() - 2) {
    text = text.substr(3, text.size() - 5);
  }
  return is_false(Condition{text}.value());
}

}  // namespace onelane::multicall::ci
