#include <algorithm>
#include <array>

#include "shims/policies.hpp"

// Facts from std-env 4.3 (the package vitest uses): which variables identify a CI provider or an
// agent. A variable counts as set when it is not empty.
namespace onelane::shims {
namespace {

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
