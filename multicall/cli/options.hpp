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

/// See one_of().
struct OneOf {
  std::vector<std::string> words;
};

/// See in_range().
struct InRange {
  std::int64_t least;
  std::int64_t most;
};

/// See completes().
struct Completes {
  std::string_view what;
};

/// Returns what is wrong with a value; empty if it is accepted.
using Fault = std::function<std::string(const std::string& value)>;

/// What a value must be, beyond its type.
using Check = std::variant<OneOf, InRange, Completes, Fault>;

/// For `check`: accepts one of these words, which help and completion show.
[[nodiscard]] inline Check one_of(std::vector<std::string> words) {
  return OneOf{std::move(words)};
}

/// For `check`: accepts numbers from `least` to `most`, both included.
[[nodiscard]] inline Check in_range(std::int64_t least, std::int64_t most) {
  return InRange{least, most};
}

/// For `check`: accepts values for which `accepts` returns true; `what` names them in the message,
/// as in "a signal".
template <class Accepts>
[[nodiscard]] Check must_be(std::string_view what, Accepts accepts) {
  return Fault{[what = std::string{what}, accepts](const std::string& value) {
    return accepts(value) ? std::string{} : "'" + value + "' is not " + what;
  }};
}

/// For `check`: accepts what sys::parse_duration() does.
[[nodiscard]] Check duration();

/// For `check`: rejects the empty value, for an id or a file name.
[[nodiscard]] Check not_empty();

/// For `check`: completes the value with what `onelane __complete WHAT` prints ("ids", "running",
/// "waiting", "entries", "tools", "settings", "topics"), or with "files" or "directories". Accepts
/// every value. Without it the label decides: ID, TOOL, FILE, DIR. `what` must be a literal.
[[nodiscard]] inline Check completes(std::string_view what) {
  return Completes{what};
}

/// Called with a value that has passed its checks.
using Take = std::function<void(const std::string& value)>;

/// A flag that may have a value after `=`; without one it counts as `implied`.
struct FlagWithValue {
  std::string* value;
  std::string implied;
};

/// Where a value goes. The caller owns what a pointer points to and keeps it until parse() returns.
using Target =
    std::variant<bool*, FlagWithValue, int*, std::uint64_t*, std::string*,
                 std::vector<std::string>*, std::vector<std::uint64_t>*, std::optional<int>*,
                 std::optional<std::uint64_t>*, std::optional<std::string>*, Take>;

/// An option, a flag or a positional argument of a verb; made and owned by Options. The functions
/// return the object itself, so that they can be chained.
struct Option {
  std::string spec;  ///< "-f,--follow", or "ID" for a positional.
  Target target;
  std::string description;
  std::string label = {};  ///< Name of the value in the help; empty: taken from name and type.
  std::vector<Check> checks = {};
  std::vector<std::string> needed = {};
  std::vector<std::string> excluded = {};
  char separator = '\0';
  bool is_required = false;

  Option* required();
  /// Adds a check; they are made in the order in which they were added.
  Option* check(Check check);
  Option* type_name(std::string name);
  /// Lets one argument hold several values, separated by `letter`.
  Option* delimiter(char letter);
  /// Makes it bad usage to give this one without the option called `other`, as in "--retry".
  Option* needs(std::string other);
  /// Makes it bad usage to give this one together with the option or positional called `other`.
  Option* excludes(std::string other);

  /// The names with their dashes; none for a positional.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool is_positional() const { return !spec.starts_with('-'); }
  /// True if it takes no value, or takes one only after `=`.
  [[nodiscard]] bool is_flag() const;
  [[nodiscard]] bool is_number() const;
  /// True if it may be given more than once.
  [[nodiscard]] bool repeats() const;
};

/// Why a verb must return after parsing its arguments.
struct ParseEnd {
  bool asks_for_help = false;
  std::string fault;  ///< One line, as "--limit needs a value"; empty if help is asked for.
};

/// The options of one verb. `--help` is always among them.
class Options {
 public:
  /// `name` is the verb as it is typed: "onelane runs list".
  Options(std::string description, std::string name);
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  ~Options() = default;

  /// Adds a flag. This object owns what this and the next functions return.
  Option* add_flag(std::string_view names, bool& value, std::string_view description);
  /// Adds a flag that may have a value after `=`; without one it counts as `implied`.
  Option* add_flag(std::string_view names, std::string& value, std::string implied,
                   std::string_view description);
  /// Adds an option with a value, or a positional. `&value` must be one of the pointers of Target.
  /// Each mention of an option takes one value, even if the target keeps several.
  template <class Value>
  Option* add_option(std::string_view names, Value& value, std::string_view description) {
    return add(names, &value, description);
  }
  /// The same, with `take` called for each value.
  Option* add_option_function(std::string_view names, Take take, std::string_view description);

  /// The option with exactly these `names`, as they were given to add_option(); null if none has.
  [[nodiscard]] Option* find(std::string_view names);

  /// Sets the text below the options in the help.
  void footer(std::string text) { footer_ = std::move(text); }
  /// Declares that the user's command follows: the first argument that is not an option ends them.
  void prefix_command() { has_command_ = true; }
  /// Sets a check that is made after all arguments are read, for rules about several options. It
  /// returns what is wrong, or an empty string.
  void final_check(std::function<std::string()> fault) { final_fault_ = std::move(fault); }

  /// Reads the arguments into the targets. Returns nothing if the verb may go on.
  [[nodiscard]] std::optional<ParseEnd> parse(std::span<char* const> args);

  /// After parse() with prefix_command(): how many of the last arguments are the user's command.
  /// The `--` before them is not counted.
  [[nodiscard]] std::size_t remaining() const { return remaining_; }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& description() const { return description_; }
  [[nodiscard]] const std::string& footer() const { return footer_; }
  [[nodiscard]] bool has_command() const { return has_command_; }
  /// All options in the order in which they were added, without `--help`.
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
