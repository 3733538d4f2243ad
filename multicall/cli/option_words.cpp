#include "multicall/cli/option_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <type_traits>

#include "core/sys/text.hpp"
#include "core/sys/values.hpp"

namespace onelane::multicall {
namespace {

template <class Number>
std::optional<Number> option_number(std::string_view text) {
  text.remove_prefix(text.starts_with('+') ? 1 : 0);
  Number number{};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end ? std::optional{number} : std::nullopt;
}
template <>
std::optional<double> option_number(std::string_view text) {
  return sys::parse_decimal(text);
}

template <class Number>
std::string shown_number(Number number) {
  if constexpr (std::is_same_v<Number, double>) {
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%g", number);
    return text.data();
  } else {
    return std::to_string(number);
  }
}

template <class Number>
constexpr bool kIsNumber = std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>;

/// Whether the target of an option can hold `value`.
struct ReadsAs {
  const std::string& value;

  template <class Number>
  requires kIsNumber<Number>
  bool operator()(Number*) const { return option_number<Number>(value).has_value(); }
  template <class Number>
  requires kIsNumber<Number>
  bool operator()(std::optional<Number>*) const { return option_number<Number>(value).has_value(); }
  template <class Number>
  requires kIsNumber<Number>
  bool operator()(std::vector<Number>*) const { return option_number<Number>(value).has_value(); }
  bool operator()(const auto&) const { return true; }
};

/// "a number from 1 to 10"; empty where a check has no words of its own.
struct AcceptedBy {
  std::string operator()(const OneOf& one) const {
    std::string words;
    for (const std::string& word : one.words) {
      words += (words.empty() ? "" : ", ") + word;
    }
    return "one of " + words;
  }
  template <class Number>
  std::string operator()(const InRange<Number>& range) const {
    return "a number from " + shown_number(range.least) + " to " + shown_number(range.most);
  }
  std::string operator()(const Positive&) const { return "a number above 0"; }
  std::string operator()(const auto&) const { return {}; }
};

/// What is wrong with a value.
struct Judge {
  const std::string& value;

  std::string operator()(const OneOf& one) const {
    return judged(one, std::ranges::find(one.words, value) != one.words.end());
  }
  template <class Number>
  std::string operator()(const InRange<Number>& range) const {
    const auto number = option_number<Number>(value);
    return judged(range, number && *number >= range.least && *number <= range.most);
  }
  std::string operator()(const Positive& positive) const {
    const auto number = option_number<std::uint64_t>(value);
    return judged(positive, number && *number > 0);
  }
  std::string operator()(const Completes&) const { return {}; }
  std::string operator()(const Fault& fault) const { return fault(value); }

  [[nodiscard]] std::string judged(const auto& check, bool fits) const {
    return fits ? std::string{} : "'" + sys::clean(value) + "' is not " + AcceptedBy{}(check);
  }
};

/// Empty where every word will do.
std::string accepted_value(const Option& option) {
  for (const Check& check : option.checks()) {
    if (std::string accepted = std::visit(AcceptedBy{}, check); !accepted.empty()) {
      return accepted;
    }
  }
  return option.is_number() ? "a whole number" : option.label();
}

/// One pass over the words of a verb.
class Splitter {
 public:
  Splitter(const Options& options, std::span<char* const> words)
      : options_{options}, words_{words} {}

  OptionWords split() {
    for (; at_ < words_.size() && !is_over_; ++at_) {
      const std::string_view word = words_[at_];
      if (word == "--") {
        end_options();
      } else if (word.starts_with("--")) {
        take_long(word);
      } else if (word.starts_with('-') && word.size() > 1) {
        take_short(word);
      } else if (options_.has_command()) {
        end_at(at_);
      } else {
        take_positional(word);
      }
    }
    return std::move(out_);
  }

 private:
  void complain(std::string fault) {
    if (out_.fault.empty()) {
      out_.fault = std::move(fault);
    }
  }

  void end_at(std::size_t first) {
    out_.remaining = words_.size() - first;
    is_over_ = true;
  }

  void end_options() {
    if (options_.has_command()) {
      while (at_ < words_.size() && std::string_view{words_[at_]} == "--") {
        ++at_;
      }
      end_at(at_);
      return;
    }
    out_.ours.emplace_back("--");
    while (++at_ < words_.size()) {
      take_positional(words_[at_]);
    }
  }

  void take_positional(std::string_view word) {
    std::size_t places = 0;
    for (const Option& option : options_.all()) {
      places += !option.is_positional() ? 0 : option.repeats() ? words_.size() : 1;
    }
    if (++positionals_ > places) {
      complain("'" + sys::clean(word) + "' is one word too many");
    }
    out_.ours.emplace_back(word);
  }

  [[nodiscard]] const Option* find(std::string_view name) const {
    for (const Option& option : options_.all()) {
      for (const auto* names : {&option.short_names(), &option.long_names()}) {
        if (std::ranges::find(*names, name) != names->end()) {
          return &option;
        }
      }
    }
    return nullptr;
  }

  void complain_unknown(std::string_view word) {
    std::vector<std::string_view> names{"--help"};
    for (const Option& option : options_.all()) {
      names.insert(names.end(), option.long_names().begin(), option.long_names().end());
    }
    const std::string_view meant = sys::nearest(word.substr(0, word.find('=')), names);
    complain("no option " + sys::clean(word) +
             (meant.empty() ? "" : "; did you mean " + std::string{meant} + "?"));
  }

  void take_long(std::string_view word) {
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const Option* option = find(name);
    if (name == "--help") {
      out_.asks_for_help = true;
    } else if (option == nullptr) {
      complain_unknown(word);
    } else if (equals != std::string_view::npos) {
      take_value_behind_equals(*option, word, word.substr(equals + 1));
    } else if (option->is_flag()) {
      out_.ours.emplace_back(word);
    } else {
      take_next(*option, name);
    }
  }

  void take_value_behind_equals(const Option& option, std::string_view word,
                                std::string_view value) {
    const std::string_view name = word.substr(0, word.find('='));
    if (!option.is_flag()) {
      take_value(option, name, value);
    } else if (option.label().empty() && option.checks().empty()) {
      if (!sys::parse_bool(value)) {
        complain(std::string{name} + " takes no value");
      }
      out_.ours.emplace_back(word);
    } else if (value.empty()) {
      complain_missing(option, name);
    } else {
      out_.ours.emplace_back(word);
    }
  }

  void take_short(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string name{'-', word[i]};
      const Option* option = find(name);
      if (name == "-h") {
        out_.asks_for_help = true;
      } else if (option == nullptr) {
        complain_unknown(word);
        return;
      } else if (option->is_flag()) {
        out_.ours.push_back(name);
      } else if (i + 1 < word.size()) {
        take_value(*option, name, word.substr(i + 1));
        return;
      } else {
        take_next(*option, name);
      }
    }
  }

  void take_next(const Option& option, std::string_view name) {
    if (at_ + 1 == words_.size() || std::string_view{words_[at_ + 1]} == "--") {
      complain_missing(option, name);
    } else {
      take_value(option, name, words_[++at_]);
    }
  }

  void take_value(const Option& option, std::string_view name, std::string_view value) {
    if (value == "--") {
      complain_missing(option, name);
    }
    if (++mentions_[&option] > 1 && !option.repeats()) {
      complain(std::string{name} + " is given twice; one value is accepted");
    }
    out_.ours.emplace_back(name);
    out_.ours.emplace_back(value);
  }

  void complain_missing(const Option& option, std::string_view name) {
    const std::string accepted = accepted_value(option);
    complain(std::string{name} + " needs a value" + (accepted.empty() ? "" : ": " + accepted));
  }

  const Options& options_;
  std::span<char* const> words_;
  std::size_t at_ = 0;
  std::size_t positionals_ = 0;
  bool is_over_ = false;
  std::map<const Option*, int> mentions_;
  OptionWords out_;
};

}  // namespace

OptionWords split_words(const Options& options, std::span<char* const> words) {
  return Splitter{options, words}.split();
}

std::string value_fault(const Option& option, const std::string& value) {
  for (const Check& check : option.checks()) {
    if (std::string fault = std::visit(Judge{value}, check); !fault.empty()) {
      return fault;
    }
  }
  return std::visit(ReadsAs{value}, option.target_)
             ? std::string{}
             : "'" + sys::clean(value) + "' is not a whole number";
}

}  // namespace onelane::multicall
