#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/settings/ready.hpp"
#include "multicall/cli/options.hpp"
#include "multicall/verbs/run_atoms.hpp"

namespace onelane::multicall {

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
  /// What is a setting for this one call: "--timeout" and "30s".
  std::vector<std::pair<std::string, std::string>> settings;

  /// Something is asked for that the command itself cannot give: it must be supervised even
  /// where it needs no lane.
  [[nodiscard]] bool needs_supervision() const;
};

/// Reads the options before a command; an exit code where the verb is over already. `app` is
/// `onelane run`, to find the command behind them.
[[nodiscard]] std::optional<int> parse_run_options(Options& app, RunOptions& options,
                                                   std::span<char*> words);

/// Adds those that an entry of the queue hands over to its `onelane run`; `words` gets name and
/// value in turn.
void add_options_of_run(Options& app, std::vector<std::string>& words);

/// The number of "INT", "SIGINT" or "2"; nothing when there is no such signal.
[[nodiscard]] std::optional<int> signal_number(std::string_view text);

}  // namespace onelane::multicall
