#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shims/shim.hpp"

namespace onelane::shims {

/// The syntax of a command line, as far as a policy has to know it.
struct Syntax {
  /// Short options with a value, like in getopt(3): `m:` takes the rest of the bundle or the next
  /// word, `S?` only the rest of the bundle, `j#` the rest or a next word that is a number.
  /// Unlisted letters take no value.
  std::string_view shorts{};
  /// Long options that matter. `message=` takes `--message=x` or the next word; `jobs#` the next
  /// word only if it is a number; `amend` none, like all unlisted ones.
  std::span<const std::string_view> longs{};
  bool abbreviations = true;      ///< Accept `--inter` for `--interactive`.
  bool stops_at_operand = false;  ///< Words after the first operand are not parsed.
};

/// A parsed command line. Holds views into the arguments; owns no text.
class Options {
 public:
  Options(Args args, const Syntax& syntax);

  /// True when the short option `letter` was given.
  [[nodiscard]] bool has(char letter) const;
  /// True when `--name` was given, and no `--no-name` after it.
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] bool has(char letter, std::string_view name) const {
    return has(letter) || has(name);
  }
  /// True when one of `letters` or one of `names` was given.
  [[nodiscard]] bool has_any(std::string_view letters,
                             std::initializer_list<std::string_view> names = {}) const;
  /// True when `--no-name` was given, and no `--name` after it.
  [[nodiscard]] bool negated(std::string_view name) const;
  /// Value of the last `--name`, empty if it had none; nullopt when it was not given.
  [[nodiscard]] std::optional<std::string_view> value(std::string_view name) const;
  [[nodiscard]] std::optional<std::string_view> value(char letter) const;
  [[nodiscard]] const std::vector<std::string_view>& operands() const { return operands_; }
  /// The n-th operand, empty when there are fewer.
  [[nodiscard]] std::string_view operand(std::size_t n) const;
  [[nodiscard]] bool any_option() const { return !words_.empty(); }
  /// Words after the last one parsed; never any without `stops_at_operand`.
  [[nodiscard]] Args rest() const { return rest_; }

  struct Word {
    char letter = '\0';     ///< 0 for a long option.
    std::string_view name;  ///< Without dashes and `no-`, with abbreviations expanded.
    bool negated = false;
    std::string_view value;
    std::size_t at = 0;  ///< Index of the argument with the end of the value or option.
  };
  /// Options in the order they were given.
  [[nodiscard]] const std::vector<Word>& words() const { return words_; }

 private:
  void read_long(std::string_view text, const Syntax& syntax, Args args, std::size_t& at);
  void read_bundle(std::string_view letters, const Syntax& syntax, Args args, std::size_t& at);
  [[nodiscard]] const Word* last(std::string_view name) const;

  std::vector<Word> words_;
  std::vector<std::string_view> operands_;
  Args rest_;
};

/// True when `list` contains `text`.
[[nodiscard]] bool one_of(std::string_view text, std::initializer_list<std::string_view> list);

/// True when `pattern` matches all of `text`; `*` stands for any run of characters.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);

/// The last component of a path.
[[nodiscard]] std::string_view base_name(std::string_view path);

}  // namespace onelane::shims
