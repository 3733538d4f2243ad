#include <cstdlib>
#include <nlohmann/json.hpp>

#include "multicall/commands/commands.hpp"
#include "multicall/decide.hpp"
#include "multicall/real_tool.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

std::string_view class_words(shims::Class cls) {
  switch (cls) {
    case shims::Class::Pass:
      return "pass";
    case shims::Class::Lane:
      return "lane";
    case shims::Class::Editor:
      return "editor";
    case shims::Class::Service:
      return "service";
  }
  return "lane";
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
  for (const char* wanted :
       {"timeout", "kill_timeout", "linger", "queue_timeout", "priority", "memory_limit_mb",
        "tree_memory_limit_mb", "max_processes", "wait", "on_error"}) {
    if (name == wanted) {
      return true;
    }
  }
  return false;
}

std::string text_of(const Call& call, const Verdict& verdict, const tool::Found& found) {
  std::string text = "call:     " + words(call) + "\n";
  text += "class:    " + std::string{class_words(verdict.decision.cls)} + " (" +
          std::string{verdict.decision.reason} + ")\n";
  text += "decision: " + std::string{action_words(verdict.action)};
  if (verdict.why != verdict.decision.reason) {
    text += ": " + verdict.why;
  }
  text += "\n";
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
  if (verdict.loaded && verdict.action != Verdict::Action::Pass) {
    for (const settings::Row& row : settings::describe(verdict.loaded->settings)) {
      if (applies(row.name)) {
        text += "setting:  " + row.name + "=" + row.value + " (" + row.source + ")\n";
      }
    }
  }
  return text;
}

}  // namespace

int command_explain(std::span<char*> words_given) {
  CLI::App app{"Say what would happen to a call in this directory, and why. Runs nothing.",
               "onelane explain"};
  bool json = false;
  app.add_flag("--json", json, "one JSON object");
  app.prefix_command();
  app.footer("usage: onelane explain [--json] -- TOOL [ARGUMENT…]");
  if (const auto code = parse_words(app, words_given)) {
    return *code;
  }
  const auto command = command_behind(app, words_given, "onelane explain -- git commit -m x");
  if (command.empty()) {
    return kExitUsage;
  }
  const Call call = make_call(static_cast<int>(command.size()), command.data());
  Verdict verdict = decide(call);
  if (!verdict.project) {
    verdict.project = find_project(call);
  }
  const tool::Found found = find_real_tool(call);
  if (json) {
    nlohmann::json out{
        {"schema", 1},
        {"call", words(call, 4096)},
        {"class", class_words(verdict.decision.cls)},
        {"reason", verdict.decision.reason},
        {"action", verdict.action == Verdict::Action::Pass      ? "pass"
                   : verdict.action == Verdict::Action::Service ? "service"
                                                                : "lane"},
        {"why", verdict.why},
        {"project", verdict.project ? nlohmann::json(verdict.project->root) : nullptr},
        {"tool", found.path}};
    print(out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return 0;
  }
  print(text_of(call, verdict, found));
  return 0;
}

}  // namespace onelane::multicall
