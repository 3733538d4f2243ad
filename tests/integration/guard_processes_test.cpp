#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "core/sys/process.hpp"
#include "tests/integration/guard_scene.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

/// Too many processes, and processes that try to live on.
class ProcessGuardTest : public testing::Test {
 protected:
  void expect_ended(const Ended& ended, const std::string& reason, int code) {
    EXPECT_TRUE(ended.exited_with(code)) << describe_status(ended.wait_status) << "\n" << ended.err;
    scene_.expect_nothing_left();
    const std::string record = scene_.only_record();
    EXPECT_EQ(field(record, "reason"), reason) << record;
    EXPECT_EQ(field(record, "empty"), "true") << record;
  }
  /// Ended by the guard: a hog's bomb ends by itself only after 25 s.
  static void expect_before_its_own_end(const Ended& ended) {
    EXPECT_LT(ended.took, milliseconds{18'000});
  }
  void expect_too_many(const Ended& ended) {
    EXPECT_THAT(ended.err, HasSubstr("MAX_PROCESSES"));
    expect_ended(ended, "processes", 137);
  }

  GuardScene scene_;
};

TEST_F(ProcessGuardTest, TooManyChildren) {
  scene_.limit("MAX_PROCESSES", "40");
  expect_too_many(scene_.run({"each", "80", "hold", "end", "hold"}));
  EXPECT_GT(std::atol(field(scene_.only_record(), "peak_processes").c_str()), 40);
}

TEST_F(ProcessGuardTest, TooManyThatIgnoreTerm) {
  scene_.limit("MAX_PROCESSES", "40");
  expect_too_many(scene_.run({"ignore-term", "each", "80", "hold", "end", "hold"}));
}

TEST_F(ProcessGuardTest, TooManyThatLeftTheSessionTheEnvironmentAndTheDescriptors) {
  scene_.limit("MAX_PROCESSES", "40");
  expect_too_many(scene_.run({"each", "80", "escape", "ignore-term", "hold", "end", "hold"}));
}

TEST_F(ProcessGuardTest, TheyAreSparedNeitherWhenTheToolEndsAtOnce) {
  scene_.limit("MAX_PROCESSES", "40");
  expect_too_many(
      scene_.run({"each", "80", "escape", "ignore-term", "hold", "end", "end-on-term", "hold"}));
}

TEST_F(ProcessGuardTest, TooManyThatAreStopped) {
  scene_.limit("MAX_PROCESSES", "40");
  expect_too_many(scene_.run({"stopped", "80", "hold"}));
}

TEST_F(ProcessGuardTest, ABombOfFourHundredIsEndedAndStaysEnded) {
  scene_.limit("MAX_PROCESSES", "60");
  const Ended ended = scene_.run({"ignore-term", "bomb", "400"});
  expect_before_its_own_end(ended);
  expect_too_many(ended);
  EXPECT_FALSE(eventually([&] { return !scene_.survivors().empty(); }, milliseconds{700}));
}

TEST_F(ProcessGuardTest, ABombInFullSwingIsEndedAtTheTimeLimit) {
  scene_.limit("MAX_PROCESSES", "0");
  scene_.limit("TIMEOUT", "2");
  const Ended ended = scene_.run({"ignore-term", "bomb", "400"});
  expect_before_its_own_end(ended);
  EXPECT_THAT(ended.err, HasSubstr("TIMEOUT"));
  expect_ended(ended, "timeout", 124);
  EXPECT_GT(std::atol(field(scene_.only_record(), "peak_processes").c_str()), 60);
}

TEST_F(ProcessGuardTest, ABombEndsWithAMemoryLimitOfTheTreeToo) {
  scene_.limit("TREE_MEMORY_LIMIT_MB", "100");
  const Ended ended =
      scene_.run({"each", "1", "bomb", "100", "end", "ignore-term", "leak", "80", "900", "hold"});
  expect_before_its_own_end(ended);
  EXPECT_THAT(ended.err, HasSubstr("TREE_MEMORY_LIMIT_MB"));
  expect_ended(ended, "tree-memory", 137);
}

TEST_F(ProcessGuardTest, ZombiesOfAHogAreReapedWithIt) {
  scene_.limit("TIMEOUT", "1");
  const Ended ended = scene_.run({"zombies", "60", "hold"});
  std::set<pid_t> zombies;
  for (const Event& event : scene_.sandbox().trace()) {
    zombies.insert(event.pid);
  }
  EXPECT_EQ(zombies.size(), 60U);
  for (const pid_t pid : zombies) {
    const auto stat = sys::read_stat(pid);
    EXPECT_FALSE(stat && stat->state == 'Z') << pid;
  }
  expect_ended(ended, "timeout", 124);
}

TEST_F(ProcessGuardTest, StoppedChildrenEndAtTheTimeLimit) {
  scene_.limit("TIMEOUT", "1");
  expect_ended(scene_.run({"stopped", "5", "hold"}), "timeout", 124);
}

TEST_F(ProcessGuardTest, AStoppedChildMayEndItselfFirst) {
  // TERM stays pending in a stopped process until it is continued.
  scene_.limit("TIMEOUT", "1");
  scene_.limit("KILL_TIMEOUT", "15");
  const Ended ended = scene_.run({"stopped", "3", "hold"});
  expect_ended(ended, "timeout", 124);
  EXPECT_LT(ended.took, milliseconds{12'000});
}

TEST_F(ProcessGuardTest, ADaemonOfAnEarlierRunIsNotOfThisOne) {
  const Ended first = scene_.sandbox().run(
      {"npm",      "spawn", "setsid", "fork-away", "redirect",    "0",     "null",
       "redirect", "1",     "null",   "redirect",  "2",           "null",  "trace",
       "daemon",   "sleep", "20000",  "end",       "await-trace", "daemon"});
  EXPECT_TRUE(first.exited_with(0)) << first.err;
  const pid_t daemon = scene_.sandbox().wait_for("daemon").pid;
  scene_.limit("MAX_PROCESSES", "40");
  const Ended ended = scene_.run({"each", "80", "hold", "end", "hold"});
  EXPECT_TRUE(ended.exited_with(137)) << describe_status(ended.wait_status);
  EXPECT_EQ(scene_.survivors(), std::vector<pid_t>{});
  EXPECT_TRUE(is_alive(daemon));
  scene_.sandbox().forgive_leftovers();
}

bool has_guardian(pid_t shim) {
  return std::ranges::any_of(sys::children_of(shim), [](pid_t pid) {
    const auto stat = sys::read_stat(pid);
    return stat && std::string_view{stat->name.data()} == "onelane-guard";
  });
}

TEST_F(ProcessGuardTest, AKilledShimLeavesNothingBehind) {
  // On the run's pipes: what cut itself off is taken for a daemon once the shim is gone.
  Running running = scene_.sandbox().start(
      scene_.hog({"each", "20", "ignore-term", "say", "out", "hold", "end", "hold"}));
  scene_.sandbox().wait_for("out", 20);
  // A run younger than five milliseconds has none; the next run would clear away.
  ASSERT_TRUE(eventually([&] { return has_guardian(running.pid()); }));
  running.signal(SIGKILL);
  EXPECT_TRUE(running.wait().died_of(SIGKILL));
  EXPECT_TRUE(eventually([&] { return scene_.survivors().empty(); }));
  scene_.sandbox().wait_until_empty(milliseconds{5'000});
  scene_.expect_nothing_left();
}

}  // namespace
}  // namespace onelane::test
