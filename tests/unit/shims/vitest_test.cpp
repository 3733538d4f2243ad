#include <string>
#include <vector>

#include "tests/unit/shims/policy_rows.hpp"

namespace onelane::test {
namespace {

using shims::Class;

MapFacts terminal_with(const std::string& name, const std::string& value) {
  MapFacts facts = at_terminal();
  facts.variables[name] = value;
  return facts;
}

const std::vector<std::string> kDefaults{
    "",           "src/a.test.ts", "bench",         "related a.ts", "--ui",
    "--coverage", "-t run",        "--config run",  "-c run",       "--reporter dot",
    "--dir run",  "--silent run",  "--project=run", "--shardless",  "--unknown run",
    "-r run"};

TEST(VitestPolicyTest, DefaultWatchesOnlyForAPersonAtATerminal) {
  expect_all("vitest", Class::Service, at_terminal(), kDefaults);
  expect_all("vitest", Class::Lane, {}, kDefaults);
  for (const std::string variable : {"CI",
                                     "GITHUB_ACTIONS",
                                     "GITLAB_CI",
                                     "CIRCLECI",
                                     "TRAVIS",
                                     "BUILDKITE",
                                     "JENKINS_URL",
                                     "TEAMCITY_VERSION",
                                     "BITBUCKET_COMMIT",
                                     "CODEBUILD_BUILD_ARN",
                                     "DRONE",
                                     "NETLIFY",
                                     "CLAUDECODE",
                                     "CLAUDE_CODE",
                                     "AI_AGENT",
                                     "GEMINI_CLI",
                                     "CODEX_SANDBOX",
                                     "CODEX_THREAD_ID",
                                     "CURSOR_AGENT",
                                     "OPENCODE",
                                     "GOOSE_PROVIDER",
                                     "REPL_ID",
                                     "AUGMENT_AGENT",
                                     "COPILOT_CLI"}) {
    EXPECT_EQ(decide("vitest", "", terminal_with(variable, "1")).cls, Class::Lane) << variable;
    EXPECT_EQ(decide("vitest", "", terminal_with(variable, "")).cls, Class::Service)
        << variable << " set to nothing";
  }
}

TEST(VitestPolicyTest, CiFalseIsNotCi) {
  expect_all("vitest", Class::Service, terminal_with("CI", "false"), {""});
  for (const std::string value : {"true", "1", "0", "yes", "False"}) {
    EXPECT_EQ(decide("vitest", "", terminal_with("CI", value)).cls, Class::Lane) << value;
  }
}

TEST(VitestPolicyTest, FirstProviderDecides) {
  expect_all("vitest", Class::Service, terminal_with("VERCEL", "1"), {""});
  expect_all("vitest", Class::Service, terminal_with("NETLIFY_LOCAL", "true"), {""});
  expect_all("vitest", Class::Service, terminal_with("CODESANDBOX_HOST", "x"), {""});
  MapFacts facts = terminal_with("VERCEL", "1");
  facts.variables["NOW_BUILDER"] = "1";
  expect_all("vitest", Class::Lane, facts, {""});
}

TEST(VitestPolicyTest, OneRunIsALaneRunEverywhere) {
  const std::vector<std::string> lines{"run",
                                       "run a.test.ts",
                                       "--run",
                                       "-w --run",
                                       "--watch --run",
                                       "watch --run",
                                       "--no-watch",
                                       "--watch=false",
                                       "-w=false",
                                       "--mergeReports",
                                       "--merge-reports",
                                       "--merge-reports=x",
                                       "--shard=1/2",
                                       "--shard 1/2",
                                       "run --coverage",
                                       "--coverage run",
                                       "--coverage.enabled run",
                                       "--globals run",
                                       "--config x run",
                                       "-c x run",
                                       "-t name run",
                                       "--reporter dot run",
                                       "run --ui",
                                       "bench --run",
                                       "--standalone=false --run",
                                       "--clearCache",
                                       "run --shard 1/2",
                                       "--pass-with-no-tests run",
                                       "--passWithNoTests run",
                                       "watch --no-watch --run"};
  expect_all("vitest", Class::Lane, at_terminal(), lines);
  expect_all("vitest", Class::Lane, {}, lines);
}

TEST(VitestPolicyTest, WatchIsAServiceEverywhere) {
  const std::vector<std::string> lines{"watch",
                                       "dev",
                                       "watch a.ts",
                                       "-w",
                                       "--watch",
                                       "run --watch",
                                       "run -w",
                                       "--watch=true",
                                       "--standalone",
                                       "--coverage watch",
                                       "run --run --watch",
                                       "bench --watch"};
  expect_all("vitest", Class::Service, at_terminal(), lines);
  expect_all("vitest", Class::Service, {}, lines);
  expect_all("vitest", Class::Service, terminal_with("CI", "1"), lines);
}

TEST(VitestPolicyTest, ListsAndAnswersPass) {
  expect_all("vitest", Class::Pass, at_terminal(),
             {"--version", "-v", "--help", "-h", "run --help", "list", "list a.ts", "doctor",
              "list --json", "--listTags", "--list-tags", "watch --version"});
}

TEST(VitestPolicyTest, InitAsks) {
  expect_all("vitest", Class::Editor, at_terminal(), {"init browser"});
  expect_all("vitest", Class::Lane, {}, {"init browser"});
}

TEST(VitestPolicyTest, TargetIsTheRoot) {
  for (const std::string text : {"-r web run", "--root web run", "run --root=web", "run -r=web"}) {
    const Line line{text};
    EXPECT_EQ(shims::find_shim("vitest")->target(line.args()).directories,
              std::vector<std::string>{"web"})
        << text;
  }
}

}  // namespace
}  // namespace onelane::test
