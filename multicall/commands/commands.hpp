#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "multicall/call.hpp"
#include "multicall/commands/options.hpp"

namespace onelane::multicall {

/// Where `onelane help` shows a verb.
enum class Group { Everyday, Look, Steer, SetUp, Hidden };

/// One verb of the administration command, or a part of one. `run` gets the words after it and
/// returns the exit code; what it throws is said by main(). It calls parse_words before it does or
/// reads anything: see Collecting.
struct Command {
  std::string_view name;
  std::string_view summary;
  int (*run)(std::span<char*> words);
  /// `list` and `view` of `onelane runs`, sorted; without a part's name `run` is called.
  std::span<const Command> parts = {};
  Group group = Group::Look;
};

/// The table of verbs, sorted by name.
[[nodiscard]] std::span<const Command> all_commands() noexcept;

/// Runs a verb, or the part of it that the first word names; `above` is what stands before it.
[[nodiscard]] int run_verb(const Command& command, std::span<char*> words,
                           std::string_view above = "onelane");

/// `onelane VERB …`. None of the verbs takes the lane, `run` apart.
[[nodiscard]] int run_command(int argc, char** argv);

/// `seq …` and `safe-run …`, which are `onelane run -- …`.
[[nodiscard]] int run_sequential(const Call& call);

/// Parses `words` with `app`; an exit code when the verb is over already (help: 0, bad
/// usage: one line and 64).
[[nodiscard]] std::optional<int> parse_words(Options& app, std::span<char*> words);

/// Says in one line that `word` is no verb below `above`, with the nearest that is; gives 64.
[[nodiscard]] int refuse_verb(std::string_view word, std::span<const Command> commands,
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

/// Nobody can be told anything: standard output cannot be written. No SystemError, so that a verb
/// that says what it could not do does not take it for that: main() says it, and ends with 125.
class OutputError : public std::system_error {
 public:
  /// With the current errno.
  OutputError();
};

/// Prints to standard output, which admin commands may use. Throws OutputError when it fails.
void print(std::string_view text);

int command_bump(std::span<char*> words);
int command_cancel(std::span<char*> words);
int command_ci(std::span<char*> words);
int command_ci_finish(std::span<char*> words);
int command_ci_path(std::span<char*> words);
int command_ci_path_alias(std::span<char*> words);
int command_ci_verify(std::span<char*> words);
int command_complete(std::span<char*> words);
int command_completion(std::span<char*> words);
int command_doctor(std::span<char*> words);
int command_explain(std::span<char*> words);
int command_help(std::span<char*> words);
int command_hold(std::span<char*> words);
int command_init(std::span<char*> words);
int command_logs(std::span<char*> words);
int command_man(std::span<char*> words);
int command_monitor(std::span<char*> words);
int command_orphans(std::span<char*> words);
int command_queue_add(std::span<char*> words);
int command_queue_clear(std::span<char*> words);
int command_queue_close(std::span<char*> words);
int command_queue_edit(std::span<char*> words);
int command_queue_move(std::span<char*> words);
int command_queue_pause(std::span<char*> words);
int command_queue_remove(std::span<char*> words);
int command_queue_reopen(std::span<char*> words);
int command_queue_resume(std::span<char*> words);
int command_queue_start(std::span<char*> words);
int command_queue_status(std::span<char*> words);
int command_queue_stop(std::span<char*> words);
int command_release(std::span<char*> words);
int command_report(std::span<char*> words);
int command_run(std::span<char*> words);
int command_runs_list(std::span<char*> words);
int command_runs_view(std::span<char*> words);
int command_runs_watch(std::span<char*> words);
int command_settings(std::span<char*> words);
int command_stats(std::span<char*> words);
int command_status(std::span<char*> words);
int command_steal(std::span<char*> words);
int command_stop(std::span<char*> words);
int command_trust(std::span<char*> words);
int command_uninit(std::span<char*> words);
int command_wait(std::span<char*> words);
int command_which(std::span<char*> words);

}  // namespace onelane::multicall
