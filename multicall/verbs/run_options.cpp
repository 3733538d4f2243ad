#include "multicall/verbs/run_options.hpp"

#include <string.h>

#include <algorithm>
#include <csignal>

#include "core/sys/text.hpp"
#include "core/sys/values.hpp"
#include "multicall/cli/command.hpp"
#include "multicall/term/exit_codes.hpp"

namespace onelane::multicall {
namespace {

constexpr int kLastStandardSignal = 31;  ///< signal(7); real-time signals have no names here.

/// A value that `accept` takes; `what` says what that is.
template <class Accept>
Check must_be(std::string_view what, Accept accept) {
  return Fault{[what = std::string{what}, accept](const std::string& word) {
    return accept(word) ? std::string{} : "'" + sys::clean(word) + "' is not " + what;
  }};
}

Check duration() {
  return must_be("a duration (30, 500ms, 30s, 10m, 2h)",
                 [](const std::string& word) { return sys::parse_duration(word); });
}

/// Options whose value goes to the settings as it is.
void add_settings(Options& app, RunOptions& options) {
  const auto add = [&](const char* name, const char* label, const char* help, Check valid) {
    app.add_option_function(
           name,
           [&options, name](const std::string& text) { options.settings.emplace_back(name, text); },
           help)
        ->type_name(label)
        ->check(std::move(valid));
  };
  const auto size = must_be("a size in MB (2048, 512M, 2G)", [](const std::string& word) {
    return sys::parse_megabytes(word).has_value();
  });
  add("--timeout", "DURATION", "end it after that time; 0 for never", duration());
  add("--memory", "MB", "most memory of one process (2048, 2G)", size);
  add("--tree-memory", "MB", "most memory of all of them", size);
  add("--max-processes", "N", "most processes",
      must_be("a number", [](const std::string& word) { return sys::parse_count(word); }));
  add("--priority", "N", "higher goes first (default 0, -100 to 100)", in_range(-100, 100));
}

void add_retry(Options& app, RunOptions& options) {
  auto* retry = app.add_option("--retry", options.retries,
                               "so many more attempts after non-zero, a signal of its own or "
                               "TIMEOUT; the lane is kept");
  retry->check(in_range(0, static_cast<int>(kMostRetries)));
  app.add_option_function(
         "--retry-delay",
         [&options](const std::string& text) {
           options.retry_delay = sys::parse_duration(text).value_or(options.retry_delay);
         },
         "between two attempts")
      ->type_name("DURATION")
      ->check(duration())
      ->needs(retry);
  app.add_option_function(
         "--kill-signal",
         [&options](const std::string& text) { options.kill_signal = signal_number(text); },
         "first signal at a limit in place of TERM")
      ->type_name("SIGNAL")
      ->check(must_be("a signal", [](const std::string& word) { return signal_number(word); }));
}

void add_output(Options& app, RunOptions& options) {
  auto* log = app.add_option("--log", options.log,
                             "append output, status and memory of each attempt to FILE");
  log->type_name("FILE")->check(not_empty());
  app.add_flag("--json", options.as_json,
               "print one JSON object at the end: stdout, stderr, code, attempts, …");
  app.add_option("--label", options.label, "what the journal calls this run");
  auto* detach = app.add_flag("--detach", options.detach,
                              "print the run's id and return; see `onelane logs -f ID`");
  auto* no_wait = app.add_flag("--no-wait", options.no_wait, "exit 75 when the lane is taken");
  detach->excludes(log)->excludes(no_wait);
  app.add_flag("--limits-only", options.limits_only, "supervised, but without queue and lane")
      ->excludes(no_wait);
}

void add_ready(Options& app, RunOptions& options) {
  auto* ready = app.add_option_function(
      "--release-on-ready",
      [&options](const std::string& text) { options.ready = settings::parse_ready(text); },
      "give the lane back once that TCP port listens, or a line of output has that text, and go "
      "on as a service");
  ready->type_name("PORT|TEXT")->check(must_be(settings::kReadyForm, [](const std::string& word) {
    return settings::parse_ready(word);
  }));
  for (const Option& other : app.all()) {
    const std::string_view name = other.single_name();
    if (name == "retry" || name == "atoms" || name == "limits-only") {
      ready->excludes(&other);
    }
  }
}

}  // namespace

bool RunOptions::needs_supervision() const {
  const bool has_limit = std::ranges::any_of(
      settings, [](const auto& setting) { return setting.first != "--priority"; });
  return has_limit || as_json || limits_only || retries != 0 || kill_signal || !log.empty() ||
         atoms.are_wanted();
}

std::optional<int> parse_run_options(Options& app, RunOptions& options, std::span<char*> words) {
  add_settings(app, options);
  add_retry(app, options);
  add_output(app, options);
  add_atoms_explain(app, options.atoms, add_atoms(app, options.atoms));
  add_ready(app, options);
  app.prefix_command();
  app.footer(exit_codes({{0, "so did the command; what else it ends with is kept, too"},
                         {kExitGaveUp, "gave up waiting; nothing was run"},
                         {kExitBadSettings, "bad settings; nothing was run"},
                         {kExitTimedOut, "ended at TIMEOUT, PIPELINE_TIMEOUT or IDLE_TIMEOUT"},
                         {kExitCannotExecute, "the command cannot be executed"},
                         {kExitNotFound, "there is no such command"},
                         {kExitOverLimit, "ended at a limit of memory or processes"}}));
  return parse_words(app, words);
}

std::optional<int> signal_number(std::string_view text) {
  if (const auto number = sys::parse_count(text)) {
    return *number >= 1 && *number <= static_cast<std::uint64_t>(SIGRTMAX)
               ? std::optional{static_cast<int>(*number)}
               : std::nullopt;
  }
  text.remove_prefix(text.starts_with("SIG") ? 3 : 0);
  for (int number = 1; number <= kLastStandardSignal; ++number) {
    const char* name = ::sigabbrev_np(number);
    if (name != nullptr && text == name) {
      return number;
    }
  }
  return std::nullopt;
}

}  // namespace onelane::multicall
