#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "multicall/call.hpp"

namespace onelane::multicall {

/// One verb of the administration command. `run` gets the words after the verb and returns
/// the exit code; what it throws is said by main().
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<char*> words);
};

/// `onelane VERB …`. None of the verbs takes the lane, `run` apart.
[[nodiscard]] int run_command(int argc, char** argv);

/// `seq …` and `safe-run …`, which are `onelane run -- …`.
[[nodiscard]] int run_sequential(const Call& call);

/// Parses `words` with `app`; an exit code when the verb is over already (help: 0, bad
/// usage: one line and 64).
[[nodiscard]] std::optional<int> parse_words(CLI::App& app, std::span<char*> words);

/// The command behind the options of a verb that parse_words has read: what follows `--`, or
/// begins with the first word that is no option. Empty, and said in one line, when there is
/// none; `example` shows how it looks.
[[nodiscard]] std::span<char*> command_behind(const CLI::App& app, std::span<char*> words,
                                              std::string_view example);

/// Prints to standard output, which admin commands may use. Throws SystemError when it fails.
void print(std::string_view text);

int command_ci_path(std::span<char*> words);
int command_explain(std::span<char*> words);
int command_init(std::span<char*> words);
int command_run(std::span<char*> words);
int command_settings(std::span<char*> words);
int command_status(std::span<char*> words);
int command_trust(std::span<char*> words);
int command_uninit(std::span<char*> words);
int command_which(std::span<char*> words);

}  // namespace onelane::multicall
