#include <algorithm>
#include <array>
#include <string>

#include "shims/npm.hpp"

namespace onelane::shims::npm {
namespace {

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

}  // namespace onelane::shims::npm
