#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>

#include "core/sys/text.hpp"
#include "multicall/cli/options.hpp"

// The static initialisers of this file, which do not run before main(): see CMakeLists.txt.
using Start = void (*)();
extern "C" const Start first_start[] __asm__("__start_onelane_parse_start");
extern "C" const Start end_of_starts[] __asm__("__stop_onelane_parse_start");

namespace onelane::multicall {
namespace {

/// Runs the static initialisers of CLI11, once.
void start_cli11() {
  static const bool is_started = [] {
    std::for_each_n(first_start, end_of_starts - first_start, [](Start start) { start(); });
    return true;
  }();
  (void)is_started;
}

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

constexpr std::size_t kLongestFault = 400;

/// CLI11 reads the argument after `--name=` as its value. A NUL, which no argument can contain,
/// stands for the empty value until without_mark() removes it.
std::string with_mark(std::string word) {
  if (word.starts_with("--") && word.find('=') == word.size() - 1) {
    word.push_back('\0');
  }
  return word;
}

std::string without_mark(std::string value) {
  if (value.ends_with('\0')) {
    value.pop_back();
  }
  return value;
}

/// CLI11 accepts `--` as the value of the option before it.
std::string dashes_fault(const std::string& value) {
  return value == "--" ? "'--' is not a value" : "";
}

/// CLI11 reads -1 as a large number, and accepts 0x10.
std::string number_fault(const std::string& value) {
  const bool fits = !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
  return fits ? "" : "'" + value + "' is not a whole number";
}

void add_check(CLI::Option& made, const Check& check) {
  std::visit(Overloaded{
                 [&](const OneOf& one) { made.check(CLI::IsMember(one.words)); },
                 [&](const InRange& range) { made.check(CLI::Range(range.least, range.most)); },
                 [](const Completes&) {},
                 [&](const Fault& fault) { made.check(fault); },
             },
             check);
}

CLI::Option* add_to(CLI::App& app, const Option& option) {
  const std::string& spec = option.spec;
  return std::visit(
      Overloaded{
          [&](bool* value) { return app.add_flag(spec, *value); },
          [&](const FlagWithValue& flag) {
            return app.add_flag(spec + "{" + flag.implied + "}", *flag.value);
          },
          [&](const Take& take) { return app.add_option_function<std::string>(spec, take); },
          [&]<class Value>(std::optional<Value>* value) {
            // Given the optional itself, CLI11 would drop an empty value.
            return app.add_option_function<Value>(spec, [value](const Value& v) { *value = v; });
          },
          [&](auto* value) { return app.add_option(spec, *value); },
      },
      option.target);
}

void define(CLI::App& app, const Option& option) {
  CLI::Option& made = *add_to(app, option);
  made.transform(without_mark);
  made.required(option.is_required);
  made.allow_extra_args(option.is_positional() && option.repeats());
  if (option.separator != '\0') {
    made.delimiter(option.separator);
  }
  if (!option.is_positional()) {
    made.check(dashes_fault);
  }
  const bool has_range = std::ranges::any_of(
      option.checks, [](const Check& check) { return std::holds_alternative<InRange>(check); });
  if (option.is_number() && !has_range) {
    made.check(number_fault);
  }
  for (const Check& check : option.checks) {
    add_check(made, check);
  }
}

/// Declares what `option` needs and excludes; all options must be defined by then.
void relate(CLI::App& app, const Option& option) {
  CLI::Option& made = *app.get_option(option.is_positional() ? option.spec : option.names().back());
  for (const std::string& other : option.needed) {
    made.needs(other);
  }
  for (const std::string& other : option.excluded) {
    made.excludes(other);
  }
}

/// A clearer message about the number of values than CLI11's "At Most 1 required but received 2".
std::string count_fault(const CLI::App& app, std::string_view last_word) {
  const auto twice = app.get_options([](const CLI::Option* option) {
    return option->get_items_expected_max() == 1 && option->count() > 1;
  });
  return twice.empty() ? std::string{last_word} + " needs a value"
                       : twice.front()->get_name() + " is given twice; one value is accepted";
}

bool is_option(std::string_view word) {
  return word.size() > 1 && word.starts_with('-') && word != "--";
}

std::string unknown_fault(const Options& options, const std::string& word) {
  std::vector<std::string> names{"--help"};
  for (const Option& option : options.all()) {
    std::ranges::copy_if(option.names(), std::back_inserter(names),
                         [](const std::string& name) { return name.starts_with("--"); });
  }
  const std::string_view meant =
      sys::nearest(std::string_view{word}.substr(0, word.find('=')), {names.begin(), names.end()});
  return "no option " + word + (meant.empty() ? "" : "; did you mean " + std::string{meant} + "?");
}

/// What CLI11 says is wrong with `args`; empty if nothing is.
std::string parse_with(CLI::App& app, std::span<char* const> args) {
  std::vector<std::string> last_first;
  std::transform(args.rbegin(), args.rend(), std::back_inserter(last_first), with_mark);
  try {
    app.parse(std::move(last_first));
  } catch (const CLI::ArgumentMismatch&) {
    return count_fault(app, args.back());
  } catch (const CLI::ParseError& error) {
    return error.what();
  }
  return {};
}

/// True when the command begins with the first word: `-- COMMAND`, or `COMMAND`.
bool begins_with_command(const std::deque<Option>& options, std::span<char* const> args) {
  const std::string_view first = args.empty() ? std::string_view{} : std::string_view{args[0]};
  return (first == "--" || (!first.empty() && first.front() != '-')) &&
         std::ranges::none_of(options, [](const Option& option) {
           return option.is_required || option.is_positional();
         });
}

}  // namespace

std::optional<ParseEnd> Options::parse(std::span<char* const> args) {
  // No option is given: to set CLI11 up for all of them takes longer than the rest of the verb.
  if (has_command_ && !final_fault_ && begins_with_command(options_, args)) {
    const auto command =
        std::ranges::find_if(args, [](const char* word) { return std::string_view{word} != "--"; });
    remaining_ = static_cast<std::size_t>(args.end() - command);
    return std::nullopt;
  }
  start_cli11();
  CLI::App app{"", name_};
  app.allow_extras();  // reported below, with the name that was probably meant
  app.prefix_command(has_command_);
  for (const Option& option : options_) {
    define(app, option);
  }
  for (const Option& option : options_) {
    relate(app, option);
  }
  std::string fault = parse_with(app, args);
  if (app.get_help_ptr()->count() > 0) {
    return ParseEnd{.asks_for_help = true, .fault = {}};
  }
  std::vector<std::string> left = app.remaining();
  std::ranges::transform(left, left.begin(), without_mark);
  const auto extra = std::ranges::find_if(left, [](const auto& word) { return word != "--"; });
  remaining_ = static_cast<std::size_t>(left.end() - extra);
  if (!left.empty() && is_option(left.front())) {
    fault = unknown_fault(*this, left.front());
  } else if (!has_command_ && extra != left.end()) {
    fault = "unexpected argument '" + *extra + "'";
  } else if (fault.empty() && final_fault_) {
    fault = final_fault_();
  }
  if (fault.empty()) {
    return std::nullopt;
  }
  return ParseEnd{.asks_for_help = false, .fault = sys::printable(fault, kLongestFault)};
}

}  // namespace onelane::multicall
