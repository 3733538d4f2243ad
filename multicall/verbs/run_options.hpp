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
