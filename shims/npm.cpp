#include "shims/npm.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "shims/args.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace npm {
namespace {

constexpr auto kServiceScripts =
    std::to_array<std::string_view>({"dev", "preview", "serve", "start", "storybook", "watch",
                                     "*:dev", "*:watch", "dev:*", "start:*", "watch:*"});

constexpr std::string_view kTextWatches =
    "npm: the script's text is a watcher or server, and someone is at the terminal";

Decision pass(std::string_view reason) {
  return {.cls = Class::Pass, .reason = reason};
}

/// `row`, or a service when the text of `script` keeps running and a user is there to stop it.
Decision by_text(std::string_view script, const Facts& facts, const Decision& row) {
  if (!facts.stdin_is_terminal()) {
    return row;
  }
  const auto text = facts.npm_script(script);
  return text && is_watcher(*text, facts) ? Decision{.cls = Class::Service, .reason = kTextWatches}
                                          : row;
}

}  // namespace

Decision refine_audit(const Call& call, const Facts& /*facts*/, const Decision& row) {
  return call.operand(1) == "fix"
             ? Decision{.cls = Class::Lane, .reason = "npm: changes node_modules"}
             : row;
}

Decision refine_cache(const Call& call, const Facts& /*facts*/, const Decision& row) {
  return one_of(call.operand(1), {"", "ls", "npx"}) ? pass("npm: only reads") : row;
}

Decision refine_config(const Call& call, const Facts& facts, const Decision& row) {
  if (call.operand(1) == "edit" && facts.stdin_is_terminal()) {
    return {.cls = Class::Editor, .reason = "npm: opens an editor on the settings"};
  }
  return one_of(call.operand(1), {"", "get", "list", "ls"}) ? pass("npm: only reads") : row;
}

Decision refine_edit(const Call& /*call*/, const Facts& facts, const Decision& row) {
  return {.cls = facts.stdin_is_terminal() ? Class::Editor : row.cls, .reason = row.reason};
}

Decision refine_exec(const Call& call, const Facts& facts, const Decision& row) {
  std::string text{call.call};
  for (std::size_t i = 1; text.empty() && i < call.operands.size(); ++i) {
    text = call.operands[i];
    for (const std::string_view word : std::span{call.operands}.subspan(i + 1)) {
      text.append(" ").append(word);
    }
  }
  return is_watcher(text, facts)
             ? Decision{.cls = Class::Service, .reason = "npm: runs a watcher or server"}
             : row;
}

Decision refine_explore(const Call& call, const Facts& /*facts*/, const Decision& row) {
  return call.operands.size() < 3 ? pass("npm: opens a shell inside a dependency") : row;
}

Decision refine_init(const Call& call, const Facts& facts, const Decision& row) {
  return !call.yes && facts.stdin_is_terminal()
             ? Decision{.cls = Class::Editor, .reason = "npm: asks questions"}
             : row;
}

Decision refine_pack(const Call& call, const Facts& /*facts*/, const Decision& row) {
  return call.dry_run ? pass("npm: only says what it would pack") : row;
}

Decision refine_pkg(const Call& call, const Facts& /*facts*/, const Decision& row) {
  return one_of(call.operand(1), {"", "get"}) ? pass("npm: only reads") : row;
}

Decision refine_publish(const Call& /*call*/, const Facts& facts, const Decision& row) {
  for (const std::string_view script :
       {"prepublishOnly", "prepack", "prepare", "postpack", "publish", "postpublish"}) {
    if (facts.npm_script(script)) {
      return {.cls = Class::Lane,
              .reason = "npm: publishing runs a script; the wait comes before the upload"};
    }
  }
  return row;
}

Decision refine_run(const Call& call, const Facts& facts, const Decision& row) {
  const std::string_view script = call.operand(1);
  if (script.empty()) {
    return pass("npm: lists the scripts");
  }
  if (std::ranges::any_of(kServiceScripts, [&](std::string_view pattern) {
        return glob_matches(pattern, script);
      })) {
    return {.cls = Class::Service, .reason = "npm: a script of this name runs until it is stopped"};
  }
  Decision decision = row;
  decision.passes_below_service = !script.starts_with("build") && !script.starts_with("test");
  return by_text(script, facts, decision);
}

Decision refine_script(const Call& call, const Facts& facts, const Decision& row) {
  return by_text(find_command(call.operand(0))->name, facts, row);
}

Decision refine_version(const Call& call, const Facts& /*facts*/, const Decision& row) {
  if (call.operands.size() < 2) {
    return pass("npm: answers about itself");
  }
  Decision decision = row;
  decision.writes_index = true;
  return decision;
}

}  // namespace npm

Decision classify_npm(Args args, const Facts& facts) {
  const npm::Call call = npm::read_call(args);
  if (call.answers || call.operands.empty()) {
    return {.cls = Class::Pass, .reason = "npm: answers about itself"};
  }
  const npm::Command* command = npm::find_command(call.operand(0));
  if (command == nullptr) {
    return {.cls = Class::Lane, .reason = "npm: not an npm command onelane knows"};
  }
  Decision row{.cls = command->cls, .reason = command->reason};
  row.passes_below_service = one_of(command->name, {"exec", "explore", "restart", "stop"});
  return command->refine == nullptr ? row : command->refine(call, facts, row);
}

Target target_npm(Args args) {
  Target target;
  if (const npm::Call call = npm::read_call(args); !call.prefix.empty()) {
    target.directories.emplace_back(call.prefix);
  }
  return target;
}

std::string_view npm_name_of(Args args) {
  const npm::Call call = npm::read_call(args);
  const npm::Command* command = npm::find_command(call.operand(0));
  if (command == nullptr) {
    return call.operand(0);
  }
  return command->name == "run" ? call.operand(1) : command->name;
}

}  // namespace onelane::shims
