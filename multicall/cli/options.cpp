#include "multicall/cli/options.hpp"

#include <istream>
#include <ostream>

// The <iostream> of GCC 12 makes eight streams and a locale before main(), which takes a tenth of
// a call that passes. CLI11 names them as defaults of what is never called here, so that their
// names are enough. Elsewhere the macro is nothing, and the names are those of the library.
#ifdef __GLIBCXX__
#define _GLIBCXX_IOSTREAM 1
namespace std {
extern istream cin;
extern ostream cout;
extern ostream cerr;
}  // namespace std
#endif

// The only place for CLI11: tests/lint/layers.sh sees to that.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <utility>

#include "multicall/cli/option_words.hpp"

namespace onelane::multicall {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

Check one_of(std::vector<std::string> words) {
  return OneOf{std::move(words)};
}

Check positive() {
  return Positive{};
}

Check not_empty() {
  return Fault{[](const std::string& word) { return word.empty() ? "is empty" : ""; }};
}

Check completes(std::string_view what) {
  return Completes{what};
}

Option::Option(std::string_view names, Target target, std::string description)
    : target_{std::move(target)}, description_{std::move(description)} {
  while (!names.empty()) {
    const auto end = std::min(names.find(','), names.size());
    const std::string_view name = names.substr(0, end);
    names.remove_prefix(std::min(end + 1, names.size()));
    if (name.starts_with("--")) {
      long_names_.emplace_back(name);
    } else if (name.starts_with('-')) {
      short_names_.emplace_back(name);
    } else {
      positional_ = name;
    }
  }
}

Option* Option::required() {
  is_required_ = true;
  return this;
}

Option* Option::check(Check check) {
  checks_.push_back(std::move(check));
  return this;
}

Option* Option::type_name(std::string label) {
  label_ = std::move(label);
  return this;
}

Option* Option::one_value_each() {
  takes_one_each_ = true;
  return this;
}

Option* Option::delimiter(char letter) {
  delimiter_ = letter;
  return this;
}

Option* Option::needs(const Option* other) {
  needed_.push_back(other);
  return this;
}

Option* Option::excludes(const Option* other) {
  excluded_.push_back(other);
  return this;
}

std::string_view Option::single_name() const {
  return !long_names_.empty()    ? std::string_view{long_names_.front()}.substr(2)
         : !short_names_.empty() ? std::string_view{short_names_.front()}.substr(1)
                                 : std::string_view{positional_};
}

bool Option::is_flag() const {
  return std::holds_alternative<bool*>(target_) || !implied_.empty();
}

bool Option::is_number() const {
  return std::visit(Overloaded{[](bool*) { return false; }, [](std::string*) { return false; },
                               [](std::optional<std::string>*) { return false; },
                               [](std::vector<std::string>*) { return false; },
                               [](const Take&) { return false; }, [](auto*) { return true; }},
                    target_);
}

bool Option::repeats() const {
  return std::holds_alternative<std::vector<std::string>*>(target_) ||
         std::holds_alternative<std::vector<std::uint64_t>*>(target_);
}

Options::Options(std::string description, std::string name)
    : description_{std::move(description)}, name_{std::move(name)} {}

Option* Options::add(std::string_view names, Target target, std::string description) {
  return &options_.emplace_back(names, std::move(target), std::move(description));
}

Option* Options::add_flag(std::string_view names, bool& value, std::string description) {
  return add(names, &value, std::move(description));
}

Option* Options::add_flag(std::string_view names, std::string& value, std::string implied,
                          std::string description) {
  Option* const flag = add(names, &value, std::move(description));
  flag->implied_ = std::move(implied);
  return flag;
}

Option* Options::add_option_function(std::string_view names, Take take, std::string description) {
  return add(names, std::move(take), std::move(description));
}

/// One parse of words by CLI11.
class Parser {
 public:
  explicit Parser(Options& options) : options_{options} {
    for (Option& option : options.options_) {
      CLI::Option* const made = make(option);
      made_.emplace(&option, made);
      set_up(option, *made);
    }
    for (const auto& [option, made] : made_) {
      for (const Option* other : option->needed_) {
        made->needs(made_.at(other));
      }
      for (const Option* other : option->excluded_) {
        made->excludes(made_.at(other));
      }
    }
  }

  void run(std::vector<std::string> words) {
    std::ranges::reverse(words);  // as CLI11 wants them
    app_.parse(std::move(words));
    for (Option& option : options_.options_) {
      option.count_ = made_.at(&option)->count();
    }
  }

 private:
  [[nodiscard]] static std::string names_of(const Option& option) {
    std::string names = option.positional_;
    for (const auto* list : {&option.short_names_, &option.long_names_}) {
      for (const std::string& name : *list) {
        names += (names.empty() ? "" : ",") + name;
      }
    }
    return option.implied_.empty() ? names : names + "{" + option.implied_ + "}";
  }

  [[nodiscard]] CLI::Option* make(const Option& option) {
    const std::string names = names_of(option);
    const auto flag = [&](auto* value) { return app_.add_flag(names, *value); };
    if (auto* const* value = std::get_if<std::string*>(&option.target_);
        value != nullptr && option.is_flag()) {
      return flag(*value);
    }
    return std::visit(
        Overloaded{
            [&](bool* value) { return flag(value); },
            [&](const Take& take) { return app_.add_option_function<std::string>(names, take); },
            [&](auto* value) { return app_.add_option(names, *value); },
        },
        option.target_);
  }

  static void set_up(const Option& option, CLI::Option& made) {
    made.required(option.is_required_);
    if (!option.label_.empty()) {
      made.type_name(option.label_);
    }
    if (option.takes_one_each_) {
      made.allow_extra_args(false);
    }
    if (option.delimiter_ != '\0') {
      made.delimiter(option.delimiter_);
    }
    made.check([&option](const std::string& value) { return value_fault(option, value); });
  }

  Options& options_;
  CLI::App app_{"", options_.name_};
  std::map<const Option*, CLI::Option*> made_;
};

std::optional<ParseEnd> Options::parse(std::span<char* const> words) {
  OptionWords split = split_words(*this, words);
  if (split.asks_for_help || !split.fault.empty()) {
    return ParseEnd{.asks_for_help = split.asks_for_help, .fault = std::move(split.fault)};
  }
  remaining_ = split.remaining;
  try {
    Parser{*this}.run(std::move(split.ours));
  } catch (const CLI::ParseError& error) {
    return ParseEnd{.asks_for_help = false, .fault = error.what()};
  }
  std::string fault = final_fault_ ? final_fault_() : std::string{};
  return fault.empty() ? std::nullopt
                       : std::optional{ParseEnd{.asks_for_help = false, .fault = std::move(fault)}};
}

}  // namespace onelane::multicall
