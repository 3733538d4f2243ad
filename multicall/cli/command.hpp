#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "multicall/cli/options.hpp"

namespace onelane::multicall {

/// The section of `onelane help` that shows a verb.
enum class Group { Everyday, Look, Steer, SetUp, Hidden };

struct Command;

/// Rows of the command table, sorted by name; each is a constant.
using Commands = std::span<const Command* const>;

/// One verb of the administration command, or a part of one. `run` gets the arguments after it and
/// returns the exit code; main() reports what it throws. It must call parse_words() before it does
/// or reads anything: see Collecting.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<char*> args);
  /// Such as `list` and `view` of `onelane runs`, sorted; `run` is called when none is named.
  Commands parts = {};
  Group group = Group::Look;
};

/// The row called `name`, or null.
[[nodiscard]] const Command* find_command(Commands commands, std::string_view name) noexcept;

/// Runs a verb, or the part of it that the first argument names; `above` is the command line before
/// it, for messages.
[[nodiscard]] int run_verb(const Command& command, std::span<char*> args,
                           std::string_view above = "onelane");

/// Parses the arguments into the targets of `app`. An exit code if the verb must return at once: 0
/// after printing the help, 64 after one line about bad usage.
[[nodiscard]] std::optional<int> parse_words(Options& app, std::span<char*> args);

/// Says in one line that `word` is not a verb, and the nearest one in `commands`; returns 64.
[[nodiscard]] int refuse_verb(std::string_view word, Commands commands,
                              std::string_view above = "onelane");

/// While one lives, parse_words() does not parse: it passes the options to `take` and returns 0, so
/// that the verb returns before it does anything. Only one may exist at a time.
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

/// The footer of a verb's help: its exit codes, sorted, with the usual 0, 64 and 125 unless `own`
/// describes them.
[[nodiscard]] std::string exit_codes(std::initializer_list<ExitCode> own);

/// The user's command after the options of a verb, once parse_words() has read them: the arguments
/// after `--`, or from the first one that is not an option. If there is none, says so in one line
/// with `example` as the way to write it, and returns an empty span.
[[nodiscard]] std::span<char*> command_behind(const Options& app, std::span<char*> args,
                                              std::string_view example);

}  // namespace onelane::multicall
