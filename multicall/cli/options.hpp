#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The options of a verb as plain data. CLI11 reads the words, but behind parse() alone: its
// headers have constants with constructors, which a shim call would otherwise run, too.

namespace onelane::multicall {

/// One of these words.
struct OneOf {
  std::vector<std::string> words;
};

/// From `least` to `most`, both included.
template <class Number>
struct InRange {
  Number least;
  Number most;
};

/// A number above 0.
struct Positive {};

/// See completes().
struct Completes {
  std::string_view what;
};

/// Says what is wrong with a value; nothing where it fits.
using Fault = std::function<std::string(const std::string& value)>;

/// What a value must be, beyond its type.
using Check = std::variant<OneOf, InRange<int>, InRange<std::uint64_t>, InRange<double>, Positive,
                           Completes, Fault>;

/// For `check`: one of these words, which help and completion show.
[[nodiscard]] Check one_of(std::vector<std::string> words);

/// For `check`: from `least` to `most`.
template <class Number>
[[nodiscard]] Check in_range(Number least, Number most) {
  return InRange<Number>{least, most};
}

/// For `check`: a number above 0.
[[nodiscard]] Check positive();

/// For `check`: an id or a file name without a single letter is bad usage.
[[nodiscard]] Check not_empty();

/// For `check`: the shell completes the value with what `onelane __complete WHAT` prints ("ids",
/// "running", "waiting", "entries", "tools", "settings", "topics"), or as "files" or "directories".
/// Accepts every value. Without it the label decides: ID, TOOL, FILE, DIR. `what` is a literal.
[[nodiscard]] Check completes(std::string_view what);

/// Gets a value that has passed its checks.
using Take = std::function<void(const std::string& value)>;

/// Where a value goes. What a pointer points to is the caller's and outlives parse().
using Target =
    std::variant<bool*, int*, unsigned*, std::uint64_t*, double*, std::string*,
                 std::vector<std::string>*, std::vector<std::uint64_t>*, std::optional<int>*,
                 std::optional<std::uint64_t>*, std::optional<std::string>*, Take>;

/// An option, a flag or a positional of a verb. Made and owned by Options. What changes it gives
/// itself back, for the next change.
class Option {
 public:
  /// `names`: "-f,--follow", or "ID" for a positional.
  Option(std::string_view names, Target target, std::string description);

  Option* required();
  /// Also checked for this; all that was given is checked in its order.
  Option* check(Check check);
  /// Its label in help and errors, in place of the one that its type gives it.
  Option* type_name(std::string label);
  /// One mention takes one word, where a vector takes all that follow.
  Option* one_value_each();
  /// Splits one word into several values.
  Option* delimiter(char letter);
  /// Bad usage without `other`.
  Option* needs(const Option* other);
  /// Bad usage together with `other`, in either order.
  Option* excludes(const Option* other);

  /// With their dashes; none: a positional.
  [[nodiscard]] const std::vector<std::string>& short_names() const { return short_names_; }
  [[nodiscard]] const std::vector<std::string>& long_names() const { return long_names_; }
  [[nodiscard]] bool is_positional() const { return short_names_.empty() && long_names_.empty(); }
  /// Its long name, else its short one, without dashes; else that of the positional.
  [[nodiscard]] std::string_view single_name() const;
  [[nodiscard]] const std::string& description() const { return description_; }
  /// What type_name said; empty: nothing did.
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] const std::vector<Check>& checks() const { return checks_; }
  [[nodiscard]] bool is_required() const { return is_required_; }
  /// Takes no value, or only behind `=`.
  [[nodiscard]] bool is_flag() const;
  [[nodiscard]] bool is_number() const;
  /// May be mentioned more than once.
  [[nodiscard]] bool repeats() const;

  /// How many values parse() has found.
  [[nodiscard]] std::size_t count() const { return count_; }

 private:
  friend class Options;
  friend class Parser;
  friend std::string value_fault(const Option& option, const std::string& value);

  std::string positional_;
  std::vector<std::string> short_names_;
  std::vector<std::string> long_names_;
  Target target_;
  std::string description_;
  std::string label_;
  std::string implied_;
  std::vector<Check> checks_;
  std::vector<const Option*> needed_;
  std::vector<const Option*> excluded_;
  char delimiter_ = '\0';
  bool is_required_ = false;
  bool takes_one_each_ = false;
  std::size_t count_ = 0;
};

/// Why a verb ends with its words.
struct ParseEnd {
  bool asks_for_help = false;
  std::string
      fault;  ///< "--limit needs a value: a number from 1 to 10"; empty when it asks for help.
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
  Option* add_flag(std::string_view names, bool& value, std::string description);
  /// A flag that may have a value behind `=`; alone it is as if `implied` stood there.
  Option* add_flag(std::string_view names, std::string& value, std::string implied,
                   std::string description);
  /// An option with a value, or a positional. `target` is one of the pointers of Target.
  template <class Value>
  Option* add_option(std::string_view names, Value& value, std::string_view description) {
    return add(names, &value, std::string{description});
  }
  /// The same, with each value handed to `take`.
  Option* add_option_function(std::string_view names, Take take, std::string description);

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
  friend class Parser;

  Option* add(std::string_view names, Target target, std::string description);

  std::string description_;
  std::string name_;
  std::string footer_;
  std::deque<Option> options_;  ///< Pointers into it stay valid.
  std::function<std::string()> final_fault_;
  bool has_command_ = false;
  std::size_t remaining_ = 0;
};

}  // namespace onelane::multicall
