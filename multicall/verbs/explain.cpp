#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/lane/pipeline.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/limits.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/job/early_release.hpp"
#include "multicall/shim/clamp.hpp"
#include "multicall/shim/decide.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

/// Whether its result may be shared; if not, why.
coalesce::Standing coalescing_of(const Call& call, const Verdict& verdict) {
  if (!verdict.loaded) {
    return {0, "COALESCE does not name it"};
  }
  const bool waits = verdict.action == Verdict::Action::Lane;
  return coalesce::standing_of(call, waits ? verdict.decision.cls : shims::Class::Pass,
                               verdict.loaded->settings);
}

std::string_view action_words(Verdict::Action action) {
  switch (action) {
    case Verdict::Action::Pass:
      return "passes straight through";
    case Verdict::Action::Lane:
      return "waits its turn in the lane";
    case Verdict::Action::Service:
      return "runs beside the lane, listed as a service";
  }
  return "";
}

/// The settings that bear on one call, in the order of `onelane settings`.
bool applies(const std::string& name) {
  constexpr std::string_view kOthers[] = {"kill_timeout", "linger", "queue_timeout",
                                          "priority",     "wait",   "on_error"};
  return limit_named(name) != nullptr || std::ranges::find(kOthers, name) != std::end(kOthers);
}

/// What makes the call give the lane back before its end.
std::optional<settings::Ready> release_of(const Call& call, const Verdict& verdict) {
  return verdict.action == Verdict::Action::Lane && verdict.loaded
             ? ready_rule_for(call, verdict.loaded->settings)
             : std::nullopt;
}

ClampPlan clamp_of(const Call& call, const Verdict& verdict) {
  if (verdict.action == Verdict::Action::Pass || !verdict.loaded) {
    return {};
  }
  return plan_clamp(call, verdict.loaded->settings, verdict.decision.cls);
}

/// The words the tool would get, argv[0] as called.
std::vector<std::string> clamped_words(const Call& call, const ClampPlan& clamp) {
  std::vector<std::string> words{call.argv.begin(), call.argv.end()};
  if (clamp.args) {
    std::ranges::copy(*clamp.args, words.begin() + 1);
  }
  return words;
}

std::vector<int> numbers_of(const cpu_set_t& processors) {
  std::vector<int> numbers;
  for (int number = 0; number < CPU_SETSIZE; ++number) {
    if (CPU_ISSET(static_cast<std::size_t>(number), &processors)) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

/// What a limit on workers changes: the command, the environment, the processors.
std::string clamp_rows(const Call& call, const Verdict& verdict) {
  const ClampPlan clamp = clamp_of(call, verdict);
  std::string text;
  if (clamp.args) {
    std::vector<std::string> words_now = clamped_words(call, clamp);
    std::vector<char*> argv;
    for (std::string& word : words_now) {
      argv.push_back(word.data());
    }
    text +=
        "command:  " + command_line(make_call(static_cast<int>(argv.size()), argv.data())) + "\n";
  }
  for (const std::string& change : clamp.changes) {
    text += "lowered:  " + change + "\n";
  }
  for (const auto& [name, value] : clamp.environment) {
    text += "workers:  " + name + "=" + shown(value) + " (" +
            clamp_source(verdict.loaded->settings, name) + ")\n";
  }
  if (clamp.processors) {
    std::string list;
    for (const int number : numbers_of(*clamp.processors)) {
      list += (list.empty() ? "" : ",") + std::to_string(number);
    }
    text += "affinity: " + list + "\n";
  }
  return text;
}

/// Whether the call may take the result of another one; empty if coalescing is not configured.
std::string coalesce_row(const Call& call, const Verdict& verdict) {
  if (!verdict.loaded || verdict.loaded->settings.coalesce.value.empty()) {
    return {};
  }
  const coalesce::Standing standing = coalescing_of(call, verdict);
  return "coalesce: " +
         (standing.key != 0 ? "may take the result of an identical call that starts while it waits"
                            : "no: " + std::string{standing.why}) +
         "\n";
}

/// The holder, if the call would start beside it when run now, from here.
std::optional<lane::Entry> pipeline_of(const Verdict& verdict) {
  const auto table = verdict.action == Verdict::Action::Lane
                         ? lane::Table::open_existing(verdict.lane_dir + "/lane")
                         : std::nullopt;
  return table
             ? lane::find_pipeline(*table, verdict.decision.reads_input, lane::PipelineLook::AtOnce)
             : std::nullopt;
}

std::string decision_words(const Verdict& verdict) {
  if (const auto holder = pipeline_of(verdict)) {
    return "starts at once: same pipeline as run " + std::string{lane::view(holder->run_id)};
  }
  return std::string{action_words(verdict.action)} +
         (verdict.why != verdict.decision.reason ? ": " + verdict.why : "");
}

std::string text_of(const Call& call, const Verdict& verdict, const tool::Found& found) {
  std::string text = "call:     " + command_line(call) + "\n";
  text += "class:    " + std::string{word_of(verdict.decision.cls)} + " (" +
          std::string{verdict.decision.reason} + ")\n";
  text += "decision: " + decision_words(verdict) + "\n";
  if (verdict.decision.reads_input && verdict.action == Verdict::Action::Lane) {
    text += "input:    its work; calls of the process that writes it are a part of its turn\n";
  }
  if (verdict.project) {
    text += "project:  " + verdict.project->root +
            (verdict.project->adopted ? "" : " (has not adopted onelane)") + "\n";
    text += "lane:     " +
            (!verdict.project->adopted  ? "none"
             : verdict.lane_dir.empty() ? verdict.project->state_dir
                                        : verdict.lane_dir) +
            "\n";
  }
  text += "tool:     " +
          (found.outcome == tool::Outcome::Found ? found.path : std::string{"not found"}) + "\n";
  text += clamp_rows(call, verdict);
  text += coalesce_row(call, verdict);
  if (const auto ready = release_of(call, verdict)) {
    text += "release:  once " + words_of(*ready) + ", then a service (release_on_ready, " +
            settings::place_of(verdict.loaded->settings.release_on_ready.source) + ")\n";
  }
  if (verdict.loaded && verdict.action != Verdict::Action::Pass) {
    for (const settings::Row& row : settings::describe(verdict.loaded->settings)) {
      if (applies(row.name)) {
        text += "setting:  " + row.name + "=" + row.value + " (" + row.source + ")\n";
      }
    }
  }
  return text;
}

nlohmann::json verdict_json(const Call& call, const Verdict& verdict, const tool::Found& found) {
  const ClampPlan clamp = clamp_of(call, verdict);
  nlohmann::json environment = nlohmann::json::object();
  for (const auto& [name, value] : clamp.environment) {
    environment[name] = value;
  }
  const coalesce::Standing standing = coalescing_of(call, verdict);
  const auto ready = release_of(call, verdict);
  const auto holder = pipeline_of(verdict);
  return {{"schema", 1},
          {"reads_input", verdict.decision.reads_input},
          {"pipeline_of", holder ? nlohmann::json(lane::view(holder->run_id)) : nullptr},
          {"coalesces", standing.key != 0},
          {"coalesces_not",
           standing.why.empty() ? nlohmann::json(nullptr) : nlohmann::json(standing.why)},
          {"release", ready ? nlohmann::json(words_of(*ready)) : nullptr},
          {"call", command_line(call, 4096)},
          {"class", word_of(verdict.decision.cls)},
          {"reason", verdict.decision.reason},
          {"action", verdict.action == Verdict::Action::Pass      ? "pass"
                     : verdict.action == Verdict::Action::Service ? "service"
                                                                  : "lane"},
          {"why", verdict.why},
          {"project", verdict.project ? nlohmann::json(verdict.project->root) : nullptr},
          {"tool", found.path},
          {"command", clamped_words(call, clamp)},
          {"environment", environment},
          {"lowered", clamp.changes},
          {"affinity", clamp.processors ? nlohmann::json(numbers_of(*clamp.processors)) : nullptr}};
}

/// Prints the bad values, which neither the verdict nor its settings show.
void say_bad_settings(const Verdict& verdict) {
  const auto say_all = [](const settings::Loaded& loaded) {
    for (const settings::Problem& problem : loaded.problems) {
      say_always(settings::describe(problem));
    }
  };
  if (verdict.loaded) {
    say_all(*verdict.loaded);
  } else if (verdict.project) {
    say_all(load_settings(verdict.project->root, settings::Audience::Shim));
  }
}

int command_explain(std::span<char*> args) {
  Options app{"Say what would happen to a call in this directory, and why. Runs nothing.",
              "onelane explain"};
  bool as_json = false;
  app.add_flag("--json", as_json, "one JSON object");
  app.prefix_command();
  app.footer(exit_codes({}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto command = command_behind(app, args, "onelane explain -- git commit -m x");
  if (command.empty()) {
    return kExitUsage;
  }
  const Call call = make_call(static_cast<int>(command.size()), command.data());
  Verdict verdict = decide(call);
  if (!verdict.project) {
    verdict.project = find_project(call);
  }
  say_bad_settings(verdict);
  const tool::Found found = find_real_tool(call);
  if (as_json) {
    print_json(verdict_json(call, verdict, found));
    return 0;
  }
  print(printable_lines(text_of(call, verdict, found)));
  return 0;
}

}  // namespace

constinit const Command verbs::explain{
    "explain", "say what would happen to a call, and why", &command_explain, {}, Group::Look};

}  // namespace onelane::multicall
