#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

// The options of a verb as plain data: what help, completion and the manual show, and what parse()
// hands to CLI11.

namespace onelane::multicall {

/// One of these words.
struct OneOf {
  std::vector<std::string> words;
};

/// From `least` to `most`, both included.
struct InRange {
  std::int64_t least;
  std::int64_t most;
};

/// See completes().
struct Completes {
  std::string_view what;
};

/// Says what is wrong with a value; empty where it fits.
using Fault = std::function<std::string(const std::string& value)>;

/// What a value must be, beyond its type.
using Check = std::variant<OneOf, InRange, Completes, Fault>;

/// For `check`: one of these words, which help and completion show.
[[nodiscard]] inline Check one_of(std::vector<std::string> words) {
  return OneOf{std::move(words)};
}

/// For `check`: from `least` to `most`.
[[nodiscard]] inline Check in_range(std::int64_t least, std::int64_t most) {
  return InRange{least, most};
}

/// For `check`: a value that `accepts` is true of; `what` says what that is: "a signal".
template <class Accepts>
[[nodiscard]] Check must_be(std::string_view what, Accepts accepts) {
  return Fault{[what = std::string{what}, accepts](const std::string& value) {
    return accepts(value) ? std::string{} : "'" + value + "' is not " + what;
  }};
}

/// For `check`: what sys::parse_duration takes.
[[nodiscard]] Check duration();

/// For `check`: an id or a file name without a single letter is bad usage.
[[nodiscard]] Check not_empty();

/// For `check`: the shell completes the value with what `onelane __complete WHAT` prints ("ids",
/// "running", "waiting", "entries", "tools", "settings", "topics"), or as "files" or "directories".
/// Accepts every value. Without it the label decides: ID, TOOL, FILE, DIR. `what` is a literal.
[[nodiscard]] inline Check completes(std::string_view what) {
  return Completes{what};
}

/// Gets a value that has passed its checks.
using Take = std::function<void(const std::string& value)>;

/// A flag that may have a value behind `=`; without one it is as if `implied` stood there.
struct FlagWithValue {
  std::string* value;
  std::string implied;
};

/// Where a value goes. What a pointer points to is the caller's and outlives parse().
using Target =
    std::variant<bool*, FlagWithValue, int*, std::uint64_t*, std::string*,
                 std::vector<std::string>*, std::vector<std::uint64_t>*, std::optional<int>*,
                 std::optional<std::uint64_t>*, std::optional<std::string>*, Take>;

/// An option, a flag or a positional of a verb; made by Options. Its functions give it back, for
/// the next one.
struct Option {
  std::string spec;  ///< "-f,--follow", or "ID" for a positional.
  Target target;
  std::string description;
  std::string label = {};  ///< In help; without one its type gives it.
  std::vector<Check> checks = {};
  std::vector<std::string> needed = {};
  std::vector<std::string> excluded = {};
  char separator = '\0';
  bool is_required = false;

  Option* required();
  /// Also checked for this; all that was given is checked in its order.
  Option* check(Check check);
  Option* type_name(std::string name);
  /// Splits one word into several values.
  Option* delimiter(char letter);
  /// Bad usage without the option of that name: "--retry".
  Option* needs(std::string other);
  /// Bad usage together with the option or positional of that name.
  Option* excludes(std::string other);

  /// With their dashes; none: a positional.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool is_positional() const { return !spec.starts_with('-'); }
  /// Takes no value, or only behind `=`.
  [[nodiscard]] bool is_flag() const;
  [[nodiscard]] bool is_number() const;
  /// May be mentioned more than once.
  [[nodiscard]] bool repeats() const;
};

/// Why a verb ends with its words.
struct ParseEnd {
  bool asks_for_help = false;
  std::string fault;  ///< One line: "--limit needs a value"; empty when it asks for help.
};

/// The options of one verb. `--help` is always among them.
class Options {
 public:
  /// `name`: as typed, "onelane runs list".
  Options(std::string description, std::string name);
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() = default;

  /// A flag. As all that follow, owned by this object.
  Option* add_flag(std::string_view names, bool& value, std::string_view description);
  /// A flag that may have a value behind `=`; alone it is as if `implied` stood there.
  Option* add_flag(std::string_view names, std::string& value, std::string implied,
                   std::string_view description);
  /// An option with a value, or a positional. `target` is one of the pointers of Target. One
  /// mention of an option takes one value, also where several are kept.
  template <class Value>
  Option* add_option(std::string_view names, Value& value, std::string_view description) {
    return add(names, &value, description);
  }
  /// The same, with each value handed to `take`.
  Option* add_option_function(std::string_view names, Take take, std::string_view description);

  /// The option of that name: "--retry". It is there.
  [[nodiscard]] Option* find(std::string_view name);

  /// What stands below the options in the help.
  void footer(std::string text) { footer_ = std::move(text); }
  /// A command of the user's follows: the first word that is no option ends the options.
  void prefix_command() { has_command_ = true; }
  /// Asked once all words are read, for what no single option can say: what is wrong, or nothing.
  void final_check(std::function<std::string()> fault) { final_fault_ = std::move(fault); }

  /// Reads `words` into the targets. Nothing when all is well.
  [[nodiscard]] std::optional<ParseEnd> parse(std::span<char* const> words);

  /// With prefix_command, after parse: how many words are the command's, all at the end. The `--`
  /// before them does not count.
  [[nodiscard]] std::size_t remaining() const { return remaining_; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& description() const { return description_; }
  [[nodiscard]] const std::string& footer() const { return footer_; }
  [[nodiscard]] bool has_command() const { return has_command_; }
  /// In the order of their definition, `--help` left out.
  [[nodiscard]] const std::deque<Option>& all() const { return options_; }

 private:
  Option* add(std::string_view names, Target target, std::string_view description);

  std::string description_;
  std::string name_;
  std::string footer_;
  std::deque<Option> options_;  ///< Pointers into it stay valid.
  std::function<std::string()> final_fault_;
  bool has_command_ = false;
  std::size_t remaining_ = 0;
};

}  // namespace onelane::multicall
