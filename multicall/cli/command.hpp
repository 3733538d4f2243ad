#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "multicall/cli/options.hpp"

namespace onelane::multicall {

/// Where `onelane help` shows a verb.
enum class Group { Everyday, Look, Steer, SetUp, Hidden };

struct Command;

/// Rows of the command table; each is a constant.
using Commands = std::span<const Command* const>;

/// One verb of the administration command, or a part of one. `run` gets the words after it and
/// returns the exit code; what it throws is said by main(). It calls parse_words before it does or
/// reads anything: see Collecting.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<char*> words);
  /// `list` and `view` of `onelane runs`, sorted; without a part's name `run` is called.
  Commands parts = {};
  Group group = Group::Look;
};

/// The row of that name; null for none.
[[nodiscard]] const Command* find_command(Commands commands, std::string_view name) noexcept;

/// Runs a verb, or the part of it that the first word names; `above` is what stands before it.
[[nodiscard]] int run_verb(const Command& command, std::span<char*> words,
                           std::string_view above = "onelane");

/// Parses `words` with `app`; an exit code when the verb is over already (help: 0, bad
/// usage: one line and 64).
[[nodiscard]] std::optional<int> parse_words(Options& app, std::span<char*> words);

/// Says in one line that `word` is no verb below `above`, with the nearest that is; gives 64.
[[nodiscard]] int refuse_verb(std::string_view word, Commands commands,
                              std::string_view above = "onelane");

/// While one lives, parse_words reads no words: it hands the app to `take` and returns 0, so
/// that a verb ends before it does anything. One at a time.
class Collecting {
 public:
  explicit Collecting(std::function<void(Options&)> take);
  Collecting(const Collecting&) = delete;
  Collecting& operator=(const Collecting&) = delete;
  ~Collecting();
};

/// One row of the exit codes in a verb's help.
struct ExitCode {
  int code;
  std::string_view when;
};

/// The footer of a verb: its exit codes, sorted, with 0, 64 and 125 where it has no own words
/// for them.
[[nodiscard]] std::string exit_codes(std::initializer_list<ExitCode> own);

/// The command behind the options of a verb that parse_words has read: what follows `--`, or
/// begins with the first word that is no option. Empty, and said in one line, when there is
/// none; `example` shows how it looks.
[[nodiscard]] std::span<char*> command_behind(const Options& app, std::span<char*> words,
                                              std::string_view example);

}  // namespace onelane::multicall
