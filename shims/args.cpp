#include "shims/args.hpp"

#include <algorithm>

namespace onelane::shims {
namespace {

enum class Takes { Nothing, Rest, RestOrNext, RestOrNumber };

Takes takes(char mark) {
  switch (mark) {
    case ':':
    case '=':
      return Takes::RestOrNext;
    case '#':
      return Takes::RestOrNumber;
    case '?':
      return Takes::Rest;
    default:
      return Takes::Nothing;
  }
}

struct LongOption {
  std::string_view name;
  Takes takes = Takes::Nothing;
  bool listed = true;
};

LongOption entry(std::string_view listed) {
  const Takes kind = listed.empty() ? Takes::Nothing : takes(listed.back());
  return {kind == Takes::Nothing ? listed : listed.substr(0, listed.size() - 1), kind};
}

LongOption resolve(std::string_view name, const Syntax& syntax) {
  for (const std::string_view listed : syntax.longs) {
    if (entry(listed).name == name) {
      return entry(listed);
    }
  }
  if (syntax.abbreviations && !name.empty()) {
    for (const std::string_view listed : syntax.longs) {
      if (entry(listed).name.starts_with(name)) {
        return entry(listed);
      }
    }
  }
  return {name, Takes::Nothing, false};
}

Takes takes(char letter, std::string_view shorts) {
  const auto at = shorts.find(letter);
  return at == std::string_view::npos || at + 1 >= shorts.size() ? Takes::Nothing
                                                                 : takes(shorts[at + 1]);
}

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789.") == std::string_view::npos;
}

/// The word after `at` if an option of this kind takes it; moves `at` onto it.
std::string_view next_word(Takes kind, Args args, std::size_t& at) {
  if (at + 1 >= args.size()) {
    return {};
  }
  const bool taken =
      kind == Takes::RestOrNext || (kind == Takes::RestOrNumber && is_number(args[at + 1]));
  return taken ? args[++at] : std::string_view{};
}

}  // namespace

Options::Options(Args args, const Syntax& syntax) {
  std::size_t at = 0;
  for (; at < args.size(); ++at) {
    const std::string_view word = args[at];
    if (word == "--") {
      ++at;
      operands_.insert(operands_.end(), args.begin() + static_cast<std::ptrdiff_t>(at), args.end());
      break;
    }
    if (word.starts_with("--")) {
      read_long(word.substr(2), syntax, args, at);
    } else if (word.size() > 1 && word.front() == '-') {
      read_bundle(word.substr(1), syntax, args, at);
    } else {
      operands_.push_back(word);
      if (syntax.stops_at_operand) {
        rest_ = args.subspan(at + 1);
        break;
      }
    }
  }
}

void Options::read_long(std::string_view text, const Syntax& syntax, Args args, std::size_t& at) {
  const auto equals = text.find('=');
  const std::string_view written = text.substr(0, equals);
  Word word;
  LongOption option = resolve(written, syntax);
  if (!option.listed && written.starts_with("no-")) {
    option = resolve(written.substr(3), syntax);
    option.takes = Takes::Nothing;
    word.negated = true;
  }
  word.name = option.name;
  word.value = equals == std::string_view::npos ? next_word(option.takes, args, at)
                                                : text.substr(equals + 1);
  word.at = at;
  words_.push_back(word);
}

void Options::read_bundle(std::string_view letters, const Syntax& syntax, Args args,
                          std::size_t& at) {
  for (std::size_t i = 0; i < letters.size(); ++i) {
    Word word;
    word.letter = letters[i];
    word.at = at;
    const Takes kind = takes(word.letter, syntax.shorts);
    if (kind == Takes::Nothing) {
      words_.push_back(word);
      continue;
    }
    word.value = letters.substr(i + 1);
    if (word.value.empty()) {
      word.value = next_word(kind, args, at);
      word.at = at;
    }
    words_.push_back(word);
    return;
  }
}

const Options::Word* Options::last(std::string_view name) const {
  const auto found = std::find_if(words_.rbegin(), words_.rend(), [&](const Word& word) {
    return word.letter == '\0' && word.name == name;
  });
  return found == words_.rend() ? nullptr : &*found;
}

bool Options::has(char letter) const {
  return std::ranges::any_of(words_, [&](const Word& word) { return word.letter == letter; });
}

bool Options::has(std::string_view name) const {
  const Word* word = last(name);
  return word != nullptr && !word->negated;
}

bool Options::has_any(std::string_view letters,
                      std::initializer_list<std::string_view> names) const {
  return std::ranges::any_of(letters, [this](char letter) { return has(letter); }) ||
         std::ranges::any_of(names, [this](std::string_view name) { return has(name); });
}

bool Options::negated(std::string_view name) const {
  const Word* word = last(name);
  return word != nullptr && word->negated;
}

std::optional<std::string_view> Options::value(std::string_view name) const {
  const Word* word = last(name);
  if (word == nullptr || word->negated) {
    return std::nullopt;
  }
  return word->value;
}

std::optional<std::string_view> Options::value(char letter) const {
  const auto found = std::find_if(words_.rbegin(), words_.rend(),
                                  [&](const Word& word) { return word.letter == letter; });
  if (found == words_.rend()) {
    return std::nullopt;
  }
  return found->value;
}

std::string_view Options::operand(std::size_t n) const {
  return n < operands_.size() ? operands_[n] : std::string_view{};
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, text) != list.end();
}

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace onelane::shims
