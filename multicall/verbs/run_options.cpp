#include "multicall/verbs/run_options.hpp"

#include <fmt/core.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <nlohmann/json.hpp>

#include "core/sys/text.hpp"
#include "core/sys/values.hpp"
#include "multicall/cli/command.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/job/atoms.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

constexpr int kLastStandardSignal = 31;  ///< signal(7); real-time signals have no names here.

Check megabytes() {
  return must_be("a size in MB (2048, 512M, 2G)",
                 [](const std::string& text) { return sys::parse_megabytes(text).has_value(); });
}

Check whole_number() {
  return must_be("a number",
                 [](const std::string& text) { return sys::parse_count(text).has_value(); });
}

Check count_up_to(std::uint64_t most) {
  return must_be(fmt::format("a number up to {}", most), [most](const std::string& text) {
    return sys::parse_count(text).value_or(most + 1) <= most;
  });
}

Check lane_priority() {
  return must_be("a number from -100 to 100", [](std::string_view text) {
    text.remove_prefix(text.starts_with('-') ? 1 : 0);
    return sys::parse_count(text).value_or(101) <= 100;
  });
}

Check signal_name() {
  return must_be("a signal",
                 [](const std::string& text) { return signal_number(text).has_value(); });
}

/// An option that an entry of the queue takes, too.
struct SharedOption {
  const char* name;
  const char* label;
  const char* help;
  Check (*check)();
  /// Null for a value that goes to the settings unchanged.
  void (*take)(RunOptions& options, const std::string& value) = nullptr;
};

constexpr auto kShared = std::to_array<SharedOption>({
    {"--timeout", "DURATION", "end it after this long (30, 500ms, 10m); 0: never", &duration},
    {"--memory", "MB", "memory limit of one process, in MB (2048, 2G)", &megabytes},
    {"--tree-memory", "MB", "memory limit of all its processes together", &megabytes},
    {"--max-processes", "N", "how many processes it may have at a time", &whole_number},
    {"--priority", "N", "higher goes first in the lane, -100 to 100 (0)", &lane_priority},
    {"--retry", "N",
     "N more attempts after a non-zero exit, a signal of its own or TIMEOUT; the lane is kept",
     [] { return count_up_to(kMostRetries); },
     [](RunOptions& options, const std::string& value) {
       options.retries = static_cast<unsigned>(sys::parse_count(value).value_or(0));
     }},
    {"--retry-delay", "DURATION", "pause between two attempts", &duration,
     [](RunOptions& options, const std::string& value) {
       options.retry_delay = sys::parse_duration(value).value_or(options.retry_delay);
     }},
    {"--kill-signal", "SIGNAL", "first signal at a limit, in place of TERM", &signal_name,
     [](RunOptions& options, const std::string& value) {
       options.kill_signal = signal_number(value);
     }},
    {"--log", "FILE", "append output, status and memory of each attempt to FILE", &not_empty,
     [](RunOptions& options, const std::string& value) { options.log = value; }},
});

void add_shared(Options& app,
                const std::function<void(const SharedOption&, const std::string&)>& take) {
  for (const SharedOption& option : kShared) {
    app.add_option_function(
           option.name, [take, &option](const std::string& value) { take(option, value); },
           option.help)
        ->type_name(option.label)
        ->check(option.check());
  }
}

void add_own(Options& app, RunOptions& options) {
  app.add_flag("--json", options.as_json,
               "print one JSON object at the end: stdout, stderr, code, attempts, …");
  app.add_option("--label", options.label, "what the journal calls this run");
  app.add_flag("--detach", options.detach,
               "print the run's id and return; see `onelane logs -f ID`")
      ->excludes("--log")
      ->excludes("--no-wait");
  app.add_flag("--no-wait", options.no_wait, "exit 75 when the lane is taken");
  app.add_flag("--limits-only", options.limits_only,
               "supervised, but neither queues nor holds the lane")
      ->excludes("--no-wait");
  add_atoms(app, options.atoms);
  add_atoms_explain(app, options.atoms);
  app.add_option_function(
         "--release-on-ready",
         [&options](const std::string& text) { options.ready = settings::parse_ready(text); },
         "give the lane back once that TCP port listens, or a line of output has that text, and go "
         "on as a service")
      ->type_name("PORT|TEXT")
      ->check(
          must_be(settings::kReadyForm,
                  [](const std::string& text) { return settings::parse_ready(text).has_value(); }))
      ->excludes("--retry")
      ->excludes("--atoms")
      ->excludes("--limits-only");
}

constexpr std::size_t kMostAtoms = 100'000;

std::string atoms_word(const std::string& word) {
  return sys::printable(shell_word(word));
}

nlohmann::json atoms_as_json(const AtomPlan& plan) {
  nlohmann::json out{{"schema", 1}, {"split", plan.refusal.empty() && !plan.is_whole}};
  if (plan.tool != nullptr) {
    out["tool"] = plan.tool->name;
    out["note"] = plan.tool->note;
    out["tested"] = plan.tool->is_tested;
  }
  if (!plan.refusal.empty()) {
    out["refused"] = plan.refusal;
    out["force_helps"] = plan.force_helps;
    return out;
  }
  out["files"] = plan.files;
  out["listed_by"] = plan.listed_by.empty() ? "caller" : plan.listed_by;
  out["atom_size"] = plan.size;
  out["commands"] = plan.commands;
  return out;
}

void print_atoms(const AtomPlan& plan) {
  std::string text = "tool      " + std::string{plan.tool->name};
  text += plan.tool->is_tested ? ": each file is judged on its own\n"
                               : ": each file is judged on its own, as its documentation says\n";
  if (!plan.tool->note.empty()) {
    text += "but       " + std::string{plan.tool->note} + "\n";
  }
  if (plan.is_whole) {
    text += "files     none found: the command runs as it is\n";
  } else {
    text += fmt::format("files     {}, {}\n", plan.files,
                        plan.listed_by.empty() ? "as named" : "listed by " + plan.listed_by);
  }
  text += fmt::format("commands  {}, of {} at most\n", plan.commands.size(),
                      counted(plan.size, "file", "files"));
  for (const auto& command : plan.commands) {
    text += " ";
    for (const std::string& word : command) {
      text += " " + atoms_word(word);
    }
    text += "\n";
  }
  print(text);
}

AtomWish wish_of(const AtomOptions& options) {
  return {{options.which == "pytest-file", options.force}, options.size};
}

/// Prints a refusal; returns its exit code.
std::optional<int> refuse(const AtomPlan& plan) {
  if (plan.refusal.empty()) {
    return std::nullopt;
  }
  say_always("not split into atoms: " + sys::printable(plan.refusal) +
             (plan.force_helps ? " (--force splits it anyway)" : ""));
  return kExitUsage;
}

int explain(const AtomPlan& plan, bool as_json) {
  if (as_json) {
    print_json(atoms_as_json(plan));
  }
  if (const auto code = refuse(plan)) {
    return *code;
  }
  if (!as_json) {
    print_atoms(plan);
  }
  return 0;
}

}  // namespace

bool RunOptions::needs_supervision() const {
  const bool has_limit = std::ranges::any_of(
      settings, [](const auto& setting) { return setting.first != "--priority"; });
  return has_limit || as_json || limits_only || retries != 0 || kill_signal || !log.empty() ||
         atoms.are_wanted();
}

std::optional<int> parse_run_options(Options& app, RunOptions& options, std::span<char*> args) {
  add_shared(app, [&options](const SharedOption& option, const std::string& value) {
    if (option.take != nullptr) {
      option.take(options, value);
    } else {
      options.settings.emplace_back(option.name, value);
    }
  });
  app.find("--retry-delay")->needs("--retry");
  add_own(app, options);
  app.prefix_command();
  app.footer(exit_codes({{0, "the command exited with 0; its other exit codes are passed on"},
                         {kExitGaveUp, "gave up waiting; nothing was run"},
                         {kExitBadSettings, "bad settings; nothing was run"},
                         {kExitTimedOut, "ended at TIMEOUT, PIPELINE_TIMEOUT or IDLE_TIMEOUT"},
                         {kExitCannotExecute, "the command cannot be executed"},
                         {kExitNotFound, "there is no such command"},
                         {kExitOverLimit, "ended at a limit of memory or processes"}}));
  return parse_words(app, args);
}

void add_options_of_run(Options& app, std::vector<std::string>& words) {
  add_shared(app, [&words](const SharedOption& option, const std::string& value) {
    words.insert(words.end(), {option.name, value});
  });
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

void add_atoms(Options& app, AtomOptions& options) {
  app.add_flag("--atoms", options.which, "tools",
               "split a command over files: one command for a few files each; pytest is split "
               "only by --atoms=pytest-file")
      ->type_name("[=pytest-file]")
      ->check(one_of({"tools", "pytest-file"}));
  app.add_option("--atom-size", options.size, "files in one command (default: depends on the tool)")
      ->type_name("N")
      ->check(in_range(1, kMostAtoms))
      ->needs("--atoms");
  app.add_flag("--force", options.force, "split even if an option or a setting forbids it")
      ->needs("--atoms");
}

void add_atoms_explain(Options& app, AtomOptions& options) {
  app.add_flag("--explain", options.explain, "print how it would be split; do nothing else")
      ->needs("--atoms");
}

std::optional<int> refuse_atoms(const AtomOptions& options, const Call& call) {
  return options.are_wanted() ? refuse(read_atoms(call, wish_of(options))) : std::nullopt;
}

int explain_atoms(const AtomOptions& options, bool as_json, const Call& call) {
  const tool::Found found = find_command_to_run(call);
  return found.outcome == tool::Outcome::Found
             ? explain(plan_atoms(call, found.path, wish_of(options)), as_json)
             : explain_no_command(call);
}

void say_atoms_doubt(const AtomOptions& options, const Call& call) {
  if (!options.are_wanted()) {
    return;
  }
  const tool::Found found = find_command_to_run(call);
  if (found.outcome == tool::Outcome::Found) {
    const AtomPlan plan = plan_atoms(call, found.path, wish_of(options));
    if (!plan.refusal.empty()) {
      say_always("it would not be split: " + sys::printable(plan.refusal));
    }
  }
}

std::optional<int> split_into_atoms(const AtomOptions& options, bool as_json, const Call& call,
                                    const tool::Found& tool, RetryOptions& parts) {
  if (!options.are_wanted()) {
    return std::nullopt;
  }
  AtomPlan atoms = plan_atoms(call, tool.path, wish_of(options));
  if (options.explain) {
    return explain(atoms, as_json);
  }
  if (const auto code = refuse(atoms)) {
    return code;
  }
  if (atoms.is_whole) {
    say("no file to split by; the command runs as it is");
    return std::nullopt;
  }
  parts.commands = std::move(atoms.commands);
  parts.nothing_code = atoms.tool->nothing_code;
  return std::nullopt;
}

}  // namespace onelane::multicall
