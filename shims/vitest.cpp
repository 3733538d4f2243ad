#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "shims/args.hpp"
#include "shims/policies.hpp"

namespace onelane::shims {
namespace {

// Options without a value; vitest gives any other option a next word that has no dash. Sorted; in
// camelCase, to which vitest converts `--pass-with-no-tests`.
constexpr auto kSwitches = std::to_array<std::string_view>({"allowOnly",
                                                            "cache",
                                                            "clearCache",
                                                            "clearScreen",
                                                            "color",
                                                            "coverage",
                                                            "dangerouslyIgnoreUnhandledErrors",
                                                            "detectAsyncLeaks",
                                                            "disableConsoleIntercept",
                                                            "dom",
                                                            "expandHelp",
                                                            "expandSnapshotDiff",
                                                            "expect",
                                                            "fileParallelism",
                                                            "filesOnly",
                                                            "globals",
                                                            "help",
                                                            "hideSkippedTests",
                                                            "includeTaskLocation",
                                                            "isolate",
                                                            "logHeapUsage",
                                                            "open",
                                                            "passWithNoTests",
                                                            "printConsoleTrace",
                                                            "run",
                                                            "standalone",
                                                            "staticParse",
                                                            "strictTags",
                                                            "typecheck",
                                                            "ui",
                                                            "version",
                                                            "watch"});
static_assert(std::ranges::is_sorted(kSwitches));

// Dotted switches such as `--coverage.enabled`.
constexpr auto kDottedSwitches = std::to_array<std::string_view>(
    {"all", "allowExternal", "clean", "cleanOnRerun", "concurrent", "enabled", "fileParallelism",
     "headless", "isolate", "perFile", "reportOnFailure", "shuffle", "skipFull", "ui"});
static_assert(std::ranges::is_sorted(kDottedSwitches));

struct Call {
  std::string_view command;
  bool filters = false;  ///< Test files are named after the command.
  bool answers = false;
  bool run = false;
  bool standalone = false;
  bool one_run = false;  ///< An option that vitest refuses in watch mode.
  bool lists = false;
  std::optional<bool> watch;
  std::string_view root;
};

std::string camel_cased(std::string_view name) {
  std::string camel;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool joins =
        name[i] == '-' && i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z';
    camel.push_back(joins ? static_cast<char>(name[++i] - 'a' + 'A') : name[i]);
  }
  return camel;
}

bool is_switch(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos
             ? std::ranges::binary_search(kSwitches, name)
             : std::ranges::binary_search(kDottedSwitches, name.substr(dot + 1));
}

std::string long_name(std::string_view letter) {
  if (letter == "w")
    return "watch";
  if (letter == "h")
    return "help";
  if (letter == "v")
    return "version";
  if (letter == "r")
    return "root";
  return std::string{letter};
}

void note(Call& call, std::string_view name, std::string_view value, bool on) {
  if (name == "help" || name == "version") {
    call.answers = call.answers || on;
  } else if (name == "watch") {
    call.watch = on;
  } else if (name == "run") {
    call.run = on;
  } else if (name == "standalone") {
    call.standalone = on;
  } else if (name == "mergeReports" || name == "shard" || name == "clearCache") {
    call.one_run = call.one_run || on;
  } else if (name == "listTags") {
    call.lists = on;
  } else if (name == "root") {
    call.root = value;
  }
}

/// Reads one long option, or one letter; returns true when it took the next word.
bool read_option(Call& call, std::string_view written, const std::string_view* next) {
  const auto equals = written.find('=');
  std::string name = camel_cased(written.substr(0, equals));
  const bool negated = written.starts_with("no-");
  if (negated) {
    name = camel_cased(written.substr(0, equals).substr(3));
  } else if (name.size() == 1) {
    name = long_name(name);
  }
  if (equals != std::string_view::npos) {
    const std::string_view value = written.substr(equals + 1);
    note(call, name, value, !negated && value != "false");
    return false;
  }
  const bool takes = !negated && !is_switch(name) && next != nullptr && !next->starts_with('-');
  note(call, name, takes ? *next : std::string_view{}, !negated);
  return takes;
}

Call read_call(Args args) {
  Call call;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string_view word = args[i];
    const std::string_view* const next = i + 1 < args.size() ? &args[i + 1] : nullptr;
    if (word == "--") {
      break;
    }
    if (word.starts_with("--")) {
      i += read_option(call, word.substr(2), next) ? 1U : 0U;
    } else if (word.size() > 1 && word.front() == '-') {
      const auto equals = std::min(word.find('='), word.size());
      for (std::size_t letter = 1; letter + 1 < equals; ++letter) {
        (void)read_option(call, word.substr(letter, 1), nullptr);
      }
      i += read_option(call, word.substr(equals - 1), next) ? 1U : 0U;
    } else if (call.command.empty()) {
      call.command = word;
    } else {
      call.filters = true;
    }
  }
  return call;
}

bool watches(const Call& call, const Facts& facts) {
  const bool known = one_of(call.command, {"", "bench", "dev", "related", "run", "watch"});
  std::optional<bool> watch = call.watch;
  bool run = call.run;
  if (call.command == "watch" || call.command == "dev") {
    watch = true;
  } else if (call.command == "run") {
    run = watch != true;  // `vitest run --watch` watches.
  }
  if (run) {
    return false;
  }
  if (watch) {
    return *watch;
  }
  if (call.standalone && !call.filters && known) {
    return true;
  }
  return facts.stdin_is_terminal() && !is_ci(facts) && !is_agent(facts);
}

// Facts from std-env 4.3 (the package vitest uses): which variables identify a CI provider or an
// agent. A variable counts as set when it is not empty.

enum class Runs { Ci, Locally };

struct Provider {
  std::string_view variable;
  Runs where = Runs::Ci;
};

// In std-env's order: the first one that is set decides.
constexpr auto kProviders = std::to_array<Provider>({
    {"APPVEYOR"},
    {"AWS_APP_ID"},
    {"SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"},
    {"INPUT_AZURE_STATIC_WEB_APPS_API_TOKEN"},
    {"AC_APPCIRCLE"},
    {"bamboo_planKey"},
    {"BITBUCKET_COMMIT"},
    {"BITRISE_IO"},
    {"BUDDY_WORKSPACE_ID"},
    {"BUILDKITE"},
    {"CIRCLECI"},
    {"CIRRUS_CI"},
    {"CF_PAGES"},
    {"WORKERS_CI"},
    {"K_SERVICE"},
    {"CLOUD_RUN_JOB"},
    {"CODEBUILD_BUILD_ARN"},
    {"CF_BUILD_ID"},
    {"DRONE"},
    {"DRONE_BUILD_EVENT"},
    {"DSARI"},
    {"GITHUB_ACTIONS"},
    {"GITLAB_CI"},
    {"CI_MERGE_REQUEST_ID"},
    {"GO_PIPELINE_LABEL"},
    {"LAYERCI"},
    {"JENKINS_URL"},
    {"HUDSON_URL"},
    {"MAGNUM"},
    {"NETLIFY"},
    {"NETLIFY_LOCAL", Runs::Locally},
    {"NEVERCODE"},
    {"RENDER"},
    {"SAILCI"},
    {"SEMAPHORE"},
    {"SCREWDRIVER"},
    {"SHIPPABLE"},
    {"TDDIUM"},
    {"STRIDER"},
    {"TEAMCITY_VERSION"},
    {"TRAVIS"},
    {"NOW_BUILDER"},
    {"VERCEL", Runs::Locally},
    {"VERCEL_ENV", Runs::Locally},
    {"APPCENTER_BUILD_ID"},
    {"CODESANDBOX_SSE", Runs::Locally},
    {"CODESANDBOX_HOST", Runs::Locally},
    {"STACKBLITZ"},
    {"STORMKIT"},
    {"CLEAVR"},
    {"ZEABUR"},
    {"CODESPHERE_APP_ID"},
    {"RAILWAY_PROJECT_ID"},
    {"RAILWAY_SERVICE_ID"},
    {"DENO_DEPLOYMENT_ID"},
    {"FIREBASE_APP_HOSTING"},
    {"EO_PAGES_CI"},
});

constexpr auto kAgents = std::to_array<std::string_view>(
    {"AI_AGENT", "CLAUDECODE", "CLAUDE_CODE", "REPL_ID", "GEMINI_CLI", "CODEX_SANDBOX",
     "CODEX_THREAD_ID", "OPENCODE", "AUGMENT_AGENT", "GOOSE_PROVIDER", "JUNIE_DATA",
     "JUNIE_SHIM_PATH", "COPILOT_AGENT", "COPILOT_CLI", "CURSOR_AGENT"});

bool is_set(const Facts& facts, std::string_view variable) {
  const auto value = facts.environment(variable);
  return value && !value->empty();
}

bool contains(const Facts& facts, std::string_view variable, std::string_view part) {
  const auto value = facts.environment(variable);
  return value && value->find(part) != std::string::npos;
}

}  // namespace

Decision classify_vitest(Args args, const Facts& facts) {
  const Call call = read_call(args);
  if (call.answers || one_of(call.command, {"complete", "doctor"})) {
    return {.cls = Class::Pass, .reason = "vitest: answers about itself"};
  }
  if (call.command == "list" || call.lists) {
    return {.cls = Class::Pass, .reason = "vitest: lists, runs no test"};
  }
  if (call.command == "init") {
    return {.cls = facts.stdin_is_terminal() ? Class::Editor : Class::Lane,
            .reason = "vitest: asks, then writes settings"};
  }
  if (!call.one_run && watches(call, facts)) {
    return {.cls = Class::Service, .reason = "vitest: watches and runs again on each change"};
  }
  return {.cls = Class::Lane, .reason = "vitest: runs tests once"};
}

Target target_vitest(Args args) {
  Target target;
  if (const Call call = read_call(args); !call.root.empty()) {
    target.directories.emplace_back(call.root);
  }
  return target;
}

bool is_ci(const Facts& facts) {
  if (const auto ci = facts.environment("CI"); ci && !ci->empty() && *ci != "false") {
    return true;
  }
  const auto* provider = std::ranges::find_if(
      kProviders, [&](const Provider& known) { return is_set(facts, known.variable); });
  return provider != kProviders.end() && provider->where == Runs::Ci;
}

bool is_agent(const Facts& facts) {
  return std::ranges::any_of(kAgents, [&](std::string_view name) { return is_set(facts, name); }) ||
         contains(facts, "PATH", ".pi/agent") || contains(facts, "EDITOR", "devin");
}

}  // namespace onelane::shims
