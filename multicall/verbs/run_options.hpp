#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/settings/ready.hpp"
#include "multicall/cli/options.hpp"
#include "multicall/context/call.hpp"
#include "multicall/job/job.hpp"

namespace onelane::multicall {

/// The options about atoms, of `onelane run` and of an entry of the queue.
struct AtomOptions {
  std::string which;  ///< "tools" or "pytest-file"; empty: no atoms.
  std::size_t size = 0;
  bool force = false;
  bool explain = false;

  [[nodiscard]] bool are_wanted() const { return !which.empty(); }
};

/// Adds `--atoms` and the options that go with it.
void add_atoms(Options& app, AtomOptions& options);
/// Adds `--explain`, for a verb that has `--atoms`.
void add_atoms_explain(Options& app, AtomOptions& options);

/// An exit code, after one line with the reason, if the words of the command rule out a split for
/// good. Does not look at its files or at settings.
[[nodiscard]] std::optional<int> refuse_atoms(const AtomOptions& options, const Call& call);

/// Prints how the command would be split now, or why not; returns the exit code.
[[nodiscard]] int explain_atoms(const AtomOptions& options, bool as_json, const Call& call);

/// Prints a line if files or settings prevent a split now; they may change.
void say_atoms_doubt(const AtomOptions& options, const Call& call);

/// Fills `parts` if atoms are wanted; `tool` is what the command runs. Returns an exit code if the
/// verb ends here: the command is refused, or only explained.
[[nodiscard]] std::optional<int> split_into_atoms(const AtomOptions& options, bool as_json,
                                                  const Call& call, const tool::Found& tool,
                                                  RetryOptions& parts);

inline constexpr unsigned kMostRetries = 1'000;

/// The options of one `onelane run`.
struct RunOptions {
  bool no_wait = false;
  bool as_json = false;
  bool detach = false;
  bool limits_only = false;
  std::string log;
  std::string label;
  std::optional<settings::Ready> ready;
  AtomOptions atoms;
  unsigned retries = 0;
  std::chrono::milliseconds retry_delay{0};
  std::optional<int> kill_signal;
  /// Settings for this one call, name and value: "--timeout" and "30s".
  std::vector<std::pair<std::string, std::string>> settings;

  /// An option is given that the command alone cannot honour: it must be supervised even when it
  /// needs no lane.
  [[nodiscard]] bool needs_supervision() const;
};

/// Reads the options before a command; an exit code if the verb ends here. `app` is `onelane run`,
/// needed to find the command after its options.
[[nodiscard]] std::optional<int> parse_run_options(Options& app, RunOptions& options,
                                                   std::span<char*> args);

/// Adds the options that an entry of the queue hands over to its `onelane run`; `words` receives
/// name and value in turn.
void add_options_of_run(Options& app, std::vector<std::string>& words);

/// The number of "INT", "SIGINT" or "2"; empty if there is no such signal.
[[nodiscard]] std::optional<int> signal_number(std::string_view text);

}  // namespace onelane::multicall
