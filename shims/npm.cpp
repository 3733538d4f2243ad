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

constexpr std::string_view kReads = "npm: only reads";
constexpr std::string_view kRegistry = "npm: talks to the registry, not to the project";
constexpr std::string_view kModules = "npm: changes node_modules";
constexpr std::string_view kSettings = "npm: changes settings";
constexpr std::string_view kManifest = "npm: changes package.json";
constexpr std::string_view kScript = "npm: runs a script";
constexpr auto kPass = Class::Pass;
constexpr auto kLane = Class::Lane;

// npm 11's commands, and three of older versions. Sorted by name.
constexpr auto kCommands = std::to_array<Command>({
    {"access", kPass, kRegistry},
    {"adduser", kPass, kRegistry},
    {"approve-scripts", kLane, kManifest},
    {"audit", kPass, kRegistry, refine_audit},
    {"bin", kPass, kReads},
    {"bugs", kPass, kReads},
    {"cache", kLane, "npm: changes npm's cache", refine_cache},
    {"ci", kLane, kModules},
    {"completion", kPass, "npm: asked by the shell's completion"},
    {"config", kLane, kSettings, refine_config},
    {"dedupe", kLane, kModules},
    {"deny-scripts", kLane, kManifest},
    {"deprecate", kPass, kRegistry},
    {"diff", kPass, kRegistry},
    {"dist-tag", kPass, kRegistry},
    {"docs", kPass, kReads},
    {"doctor", kPass, kReads},
    {"edit", kLane, "npm: opens an editor on a dependency", refine_edit},
    {"exec", kLane, "npm: runs a package's program", refine_exec},
    {"explain", kPass, kReads},
    {"explore", kLane, "npm: runs a command inside a dependency", refine_explore},
    {"find-dupes", kPass, kReads},
    {"fund", kPass, kReads},
    {"get", kPass, kReads},
    {"help", kPass, kReads},
    {"help-search", kPass, kReads},
    {"hook", kPass, kRegistry},
    {"init", kLane, kManifest, refine_init},
    {"install", kLane, kModules},
    {"install-ci-test", kLane, kModules},
    {"install-scripts", kLane, kModules},
    {"install-test", kLane, kModules},
    {"link", kLane, kModules},
    {"ll", kPass, kReads},
    {"login", kPass, kRegistry},
    {"logout", kPass, kRegistry},
    {"ls", kPass, kReads},
    {"org", kPass, kRegistry},
    {"outdated", kPass, kReads},
    {"owner", kPass, kRegistry},
    {"pack", kLane, "npm: packs, and may run scripts", refine_pack},
    {"ping", kPass, kRegistry},
    {"pkg", kLane, kManifest, refine_pkg},
    {"prefix", kPass, kReads},
    {"profile", kPass, kRegistry},
    {"prune", kLane, kModules},
    {"publish", kPass, kRegistry, refine_publish},
    {"query", kPass, kReads},
    {"rebuild", kLane, kModules},
    {"repo", kPass, kReads},
    {"restart", kLane, kScript, refine_script},
    {"root", kPass, kReads},
    {"run", kLane, kScript, refine_run},
    {"sbom", kPass, kReads},
    {"search", kPass, kRegistry},
    {"set", kLane, kSettings},
    {"set-script", kLane, kManifest},
    {"shrinkwrap", kLane, "npm: changes the lock file"},
    {"stage", kPass, kRegistry},
    {"star", kPass, kRegistry},
    {"stars", kPass, kRegistry},
    {"start", Class::Service, "npm: start runs until it is stopped"},
    {"stop", kLane, kScript, refine_script},
    {"team", kPass, kRegistry},
    {"test", kLane, "npm: runs the tests", refine_script},
    {"token", kPass, kRegistry},
    {"trust", kPass, kRegistry},
    {"undeprecate", kPass, kRegistry},
    {"uninstall", kLane, kModules},
    {"unpublish", kPass, kRegistry},
    {"unstar", kPass, kRegistry},
    {"update", kLane, kModules},
    {"version", kLane, "npm: changes package.json and commits", refine_version},
    {"view", kPass, kRegistry},
    {"whoami", kPass, kRegistry},
});
static_assert(std::ranges::is_sorted(kCommands, {}, &Command::name));

struct Alias {
  std::string_view written;
  std::string_view command;
};

// npm 11's own aliases, including its typos. Sorted.
constexpr auto kAliases = std::to_array<Alias>({
    {"add", "install"},
    {"add-user", "adduser"},
    {"author", "owner"},
    {"c", "config"},
    {"cit", "install-ci-test"},
    {"clean-install", "ci"},
    {"clean-install-test", "install-ci-test"},
    {"create", "init"},
    {"ddp", "dedupe"},
    {"dist-tags", "dist-tag"},
    {"find", "search"},
    {"hlep", "help"},
    {"home", "docs"},
    {"i", "install"},
    {"ic", "ci"},
    {"in", "install"},
    {"info", "view"},
    {"innit", "init"},
    {"ins", "install"},
    {"inst", "install"},
    {"insta", "install"},
    {"instal", "install"},
    {"install-clean", "ci"},
    {"isnt", "install"},
    {"isnta", "install"},
    {"isntal", "install"},
    {"isntall", "install"},
    {"isntall-clean", "ci"},
    {"issues", "bugs"},
    {"it", "install-test"},
    {"la", "ll"},
    {"list", "ls"},
    {"ln", "link"},
    {"ogr", "org"},
    {"r", "uninstall"},
    {"rb", "rebuild"},
    {"remove", "uninstall"},
    {"rm", "uninstall"},
    {"rum", "run"},
    {"run-script", "run"},
    {"s", "search"},
    {"se", "search"},
    {"show", "view"},
    {"sit", "install-ci-test"},
    {"t", "test"},
    {"tst", "test"},
    {"u", "update"},
    {"udpate", "update"},
    {"un", "uninstall"},
    {"unlink", "uninstall"},
    {"up", "update"},
    {"upgrade", "update"},
    {"urn", "run"},
    {"v", "view"},
    {"verison", "version"},
    {"why", "explain"},
    {"x", "exec"},
});
static_assert(std::ranges::is_sorted(kAliases, {}, &Alias::written));

const Command* exact(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kCommands, name, {}, &Command::name);
  return found != kCommands.end() && found->name == name ? &*found : nullptr;
}

const Alias* alias(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kAliases, name, {}, &Alias::written);
  return found != kAliases.end() && found->written == name ? &*found : nullptr;
}

/// Turns `installTest` into `install-test`.
std::string with_dashes(std::string_view written) {
  std::string name;
  for (const char c : written) {
    if (c >= 'A' && c <= 'Z') {
      name.push_back('-');
      name.push_back(static_cast<char>(c - 'A' + 'a'));
    } else {
      name.push_back(c);
    }
  }
  return name;
}

/// The only name that begins with `beginning`; empty when there is none or more than one.
std::string_view only_name(std::string_view beginning) {
  std::string_view only;
  std::size_t matches = 0;
  const auto look = [&](std::string_view name) {
    if (name.starts_with(beginning)) {
      only = name;
      ++matches;
    }
  };
  std::ranges::for_each(kCommands, look, &Command::name);
  std::ranges::for_each(kAliases, look, &Alias::written);
  return matches == 1 ? only : std::string_view{};
}

}  // namespace

const Command* find_command(std::string_view written) {
  const std::string name = with_dashes(written);
  if (name.empty()) {
    return nullptr;
  }
  if (const Command* command = exact(name)) {
    return command;
  }
  if (const Alias* known = alias(name)) {
    return exact(known->command);
  }
  const std::string_view only = only_name(name);
  const Alias* known = alias(only);
  return exact(known == nullptr ? only : known->command);
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
