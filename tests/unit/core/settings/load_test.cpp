#include <gmock/gmock.h>

#include <chrono>

#include "core/settings/settings.hpp"
#include "tests/unit/core/settings/sandbox.hpp"

namespace onelane::settings {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class LoadTest : public SandboxTest {};

TEST_F(LoadTest, WithoutFilesAShimHasGenerousLimitsAndNoTimeLimit) {
  const auto [s, problems] = loaded();
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(s.memory_limit_mb.value, 4000U);
  EXPECT_EQ(s.tree_memory_limit_mb.value, 12800U);
  EXPECT_EQ(s.max_processes.value, 512U);
  EXPECT_EQ(s.timeout.value, 0s);
  EXPECT_EQ(s.kill_timeout.value, 10s);
  EXPECT_EQ(s.linger.value, 2s);
  EXPECT_EQ(s.rejoin.value, 120s);
  EXPECT_EQ(s.git_lock_wait.value, 10s);
  EXPECT_EQ(s.ns_wait.value, 600s);
  EXPECT_EQ(s.check_interval.value, 5s);
  EXPECT_TRUE(s.sequential.value);
  EXPECT_EQ(s.wait.value, WaitFor::Tool);
  EXPECT_EQ(s.timeout.source.origin, Origin::BuiltIn);
}

TEST_F(LoadTest, ASmallMachineKeepsTwoGigabytesPerProcess) {
  auto small = request();
  small.total_memory_mb = 4000;
  EXPECT_EQ(load(small).settings.memory_limit_mb.value, 2048U);
}

TEST_F(LoadTest, ARunHasTheSeedsFiguresAndWaitsForAll) {
  const auto s = loaded(Audience::Run).settings;
  EXPECT_EQ(s.memory_limit_mb.value, 2048U);
  EXPECT_EQ(s.timeout.value, 1800s);
  EXPECT_EQ(s.wait.value, WaitFor::All);
}

TEST_F(LoadTest, EachLayerWinsOverTheOneBelowAndIsNamed) {
  const auto expect = [this](std::chrono::milliseconds value, Origin origin,
                             const std::string& file, int line, const std::string& key) {
    const auto [s, problems] = loaded();
    EXPECT_THAT(problems, IsEmpty());
    EXPECT_EQ(s.timeout.value, value);
    EXPECT_EQ(s.timeout.source.origin, origin);
    EXPECT_EQ(s.timeout.source.file, file);
    EXPECT_EQ(s.timeout.source.line, line);
    EXPECT_EQ(s.timeout.source.key, key);
  };
  expect(0s, Origin::BuiltIn, "", 0, "");
  write(user_toml(), "# mine\ntimeout = 10\n");
  expect(10s, Origin::User, user_toml(), 2, "timeout");
  write(toml(), "root = true\ntimeout = \"20s\"\n");
  expect(20s, Origin::Project, toml(), 2, "timeout");
  write(dotenv(), "DATABASE_URL=x\n\nONELANE_TIMEOUT=30 # half a minute\n");
  expect(30s, Origin::DotEnv, dotenv(), 3, "ONELANE_TIMEOUT");
  environment_["ONELANE_TIMEOUT"] = "40";
  expect(40s, Origin::Environment, "", 0, "ONELANE_TIMEOUT");
  command_line_ = {{"--timeout", "50"}};
  expect(50s, Origin::CommandLine, "", 0, "--timeout");
}

TEST_F(LoadTest, GuardSettingsAreReadFromNumbersAndWords) {
  write(toml(),
        "max_load = 8.0\nmax_memory_pressure = 12.5\nadmission = \"refuse\"\nidle_action = "
        "\"kill\"\nclamp = \"hard\"\nionice = \"idle\"\nnice = 5\ncpu_affinity = \"0-1\"\n"
        "cgroup = false\n");
  const auto [s, problems] = loaded();
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(s.max_load.value, 8.0);
  EXPECT_EQ(s.max_memory_pressure.value, 12.5);
  EXPECT_EQ(s.admission.value, Admission::Refuse);
  EXPECT_EQ(s.idle_action.value, IdleAction::Kill);
  EXPECT_EQ(s.clamp.value, Clamp::Hard);
  EXPECT_EQ(s.ionice.value, IoNice::Idle);
  EXPECT_EQ(s.nice.value, 5);
  EXPECT_EQ(s.cpu_affinity.value, "0-1");
  EXPECT_FALSE(s.cgroup.value);
  EXPECT_EQ(s.system_reserve_mb.value, 480U) << "3 % of the machine";
}

TEST_F(LoadTest, InvalidGuardSettingsKeepTheLowerLayersValue) {
  environment_ = {{"ONELANE_NICE", "-5"},
                  {"ONELANE_CPU_WEIGHT", "10001"},
                  {"ONELANE_CPU_AFFINITY", "1-"},
                  {"ONELANE_CLAMP", "medium"},
                  {"ONELANE_MAX_LOAD", "-1"}};
  const auto [s, problems] = loaded();
  EXPECT_EQ(problems.size(), environment_.size());
  EXPECT_EQ(s.nice.value, 0);
  EXPECT_EQ(s.cpu_weight.value, 0U);
  EXPECT_EQ(s.cpu_affinity.value, "");
  EXPECT_EQ(s.clamp.value, Clamp::Soft);
  EXPECT_EQ(s.max_load.value, 0.0);
}

TEST_F(LoadTest, XdgConfigHomeMovesTheUsersFile) {
  std::filesystem::create_directories(base_ + "/xdg/onelane");
  write(base_ + "/xdg/onelane/config.toml", "priority = 7\n");
  environment_["XDG_CONFIG_HOME"] = base_ + "/xdg";
  EXPECT_EQ(loaded().settings.priority.value, 7);
  environment_["XDG_CONFIG_HOME"] = "xdg";
  EXPECT_EQ(loaded().settings.priority.value, 0);
}

TEST_F(LoadTest, BareNamesInTheEnvironmentCountForRunOnly) {
  environment_ = {{"TIMEOUT", "60"}, {"VERBOSE", "1"}, {"LINGER", "9"}};
  EXPECT_EQ(loaded(Audience::Shim).settings.timeout.value, 0s);
  EXPECT_FALSE(loaded(Audience::Shim).settings.verbose.value);
  const auto run = loaded(Audience::Run).settings;
  EXPECT_EQ(run.timeout.value, 60s);
  EXPECT_TRUE(run.verbose.value);
  EXPECT_EQ(run.linger.value, 2s) << "LINGER is not a name of the seeds";
  environment_["ONELANE_TIMEOUT"] = "61";
  EXPECT_EQ(loaded(Audience::Run).settings.timeout.value, 61s);
}

TEST_F(LoadTest, BareNamesInTheFileCountInsideTheBlockOnly) {
  write(dotenv(),
        "TIMEOUT=1\n# onelane\nMEMORY_LIMIT_MB=512  # small\nexport MAX_PROCESSES=20\n"
        "LINGER=9\nPYTEST_MAX_WORKERS=1\nulimit -u 100\n# /onelane\nKILL_TIMEOUT=3\n");
  const auto [s, problems] = loaded();
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_EQ(s.timeout.value, 0s);
  EXPECT_EQ(s.memory_limit_mb.value, 512U);
  EXPECT_EQ(s.max_processes.value, 20U);
  EXPECT_EQ(s.linger.value, 2s);
  EXPECT_EQ(s.kill_timeout.value, 10s);
}

TEST_F(LoadTest, TheFirstEmptyLineEndsTheBlock) {
  write(dotenv(), "# onelane\r\nTIMEOUT=1\r\n\r\nMEMORY_LIMIT_MB=77\r\n");
  const auto s = loaded().settings;
  EXPECT_EQ(s.timeout.value, 1s);
  EXPECT_EQ(s.memory_limit_mb.value, 4000U);
}

TEST_F(LoadTest, TheLastOfADuplicateKeyWins) {
  write(dotenv(), "ONELANE_TIMEOUT=1\nONELANE_TIMEOUT=2\n");
  const auto s = loaded().settings;
  EXPECT_EQ(s.timeout.value, 2s);
  EXPECT_EQ(s.timeout.source.line, 2);
}

TEST_F(LoadTest, AnEmptyValueIsIgnored) {
  write(dotenv(), "ONELANE_TIMEOUT=5\nONELANE_TIMEOUT=\n");
  environment_["ONELANE_TIMEOUT"] = "";
  const auto [s, problems] = loaded();
  EXPECT_EQ(s.timeout.value, 5s);
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(LoadTest, NothingIsExpandedOrEvaluated) {
  write(dotenv(), "ONELANE_LOG_DIR=\"$(touch " + root() + "/pwned)\"\nONELANE_TIMEOUT=$TIMEOUT\n");
  environment_["TIMEOUT"] = "9";
  const auto [s, problems] = loaded();
  EXPECT_THAT(s.log_dir.value, HasSubstr("$(touch"));
  EXPECT_FALSE(std::filesystem::exists(root() + "/pwned"));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(problems[0].text, HasSubstr("'$TIMEOUT' is not a duration"));
}

TEST_F(LoadTest, OtherOnelaneVariablesAreNotSettings) {
  environment_ = {{"ONELANE", "on"}, {"ONELANE_HELD", "x"}, {"ONELANE_AT", "y"}};
  write(dotenv(), "ONELANE_NO_SUCH=1\n");
  EXPECT_THAT(loaded().problems, IsEmpty());
}

TEST_F(LoadTest, TheSequentialModeSwitchNeedsNoTrust) {
  write(dotenv(), "# onelane\nPROJECT_SEQUENTIAL_MODE=0\n");
  const auto [s, problems] = loaded();
  EXPECT_FALSE(s.sequential.value);
  EXPECT_THAT(problems, IsEmpty());
}

TEST_F(LoadTest, TheLockDirectoryCountsInProjectFilesOnly) {
  environment_ = {{"SEQUENTIAL_LOCK_BASE_DIR", "/tmp/a"},
                  {"ONELANE_SEQUENTIAL_LOCK_BASE_DIR", "/tmp/b"}};
  EXPECT_EQ(loaded(Audience::Run).settings.lock_base_dir.value, "");
  write(user_toml(), "sequential_lock_base_dir = \"/tmp/c\"\n");
  ASSERT_EQ(loaded().problems.size(), 1U);
  EXPECT_THAT(loaded().problems[0].text, HasSubstr("does not count here"));
  write(user_toml(), "");
  write(dotenv(), "# onelane\nSEQUENTIAL_LOCK_BASE_DIR=\"./.sequential-locks\"\n");
  EXPECT_EQ(loaded().settings.lock_base_dir.value, root() + "/.sequential-locks");
}

TEST_F(LoadTest, AScopeWithAnyOtherWordNamesALane) {
  write(toml(), "scope = \"gpu\"\nlanes = \"split\"\nkeep = [\"redis-server\"]\n");
  const auto s = loaded().settings;
  EXPECT_EQ(s.scope.value, Scope::Named);
  EXPECT_EQ(s.scope_name.value, "gpu");
  EXPECT_EQ(s.lanes.value, "split");
  EXPECT_THAT(s.keep.value, ElementsAre("redis-server"));
  environment_["ONELANE_SCOPE"] = "user";
  EXPECT_EQ(loaded().settings.scope.value, Scope::User);
  EXPECT_EQ(loaded().settings.scope_name.value, "");
}

TEST_F(LoadTest, DescribeShowsEachValueWithItsSource) {
  write(toml(), "timeout = 600\n[tools.cargo]\npass = [\"version\", \"tree\"]\n");
  environment_["ONELANE_WAIT"] = "all";
  std::map<std::string, Row> rows;
  for (const auto& row : describe(loaded().settings)) {
    rows[row.name] = row;
  }
  EXPECT_EQ(rows["timeout"].value, "10m");
  EXPECT_EQ(rows["timeout"].source, toml() + ":1");
  EXPECT_EQ(rows["wait"].source, "environment (ONELANE_WAIT)");
  EXPECT_EQ(rows["wait"].value, "all");
  EXPECT_EQ(rows["linger"].source, "built-in");
  EXPECT_EQ(rows["tools.cargo.pass"].value, "version,tree");
  EXPECT_EQ(rows["tools.cargo.class"].value, "lane");
}

}  // namespace
}  // namespace onelane::settings
