#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/guard_scene.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::SizeIs;

/// Hogs of memory. They would take far more than their limit; the limits are small, so that
/// the machine does not notice.
class MemoryGuardTest : public testing::Test {
 protected:
  /// Expects that the run ended for `reason`, with nothing left of it.
  void expect_ended(const Ended& ended, const std::string& reason, const std::string& name) {
    EXPECT_TRUE(ended.exited_with(137)) << describe_status(ended.wait_status) << "\n" << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(name));
    scene_.expect_nothing_left();
    const std::string record = scene_.only_record();
    EXPECT_EQ(field(record, "reason"), reason) << record;
    EXPECT_EQ(field(record, "code"), "137") << record;
  }
  void expect_memory(const Ended& ended) { expect_ended(ended, "memory", "MEMORY_LIMIT_MB"); }
  void expect_tree(const Ended& ended) {
    expect_ended(ended, "tree-memory", "TREE_MEMORY_LIMIT_MB");
  }

  GuardScene scene_;
};

// --- One process --------------------------------------------------------------

TEST_F(MemoryGuardTest, ASlowLeakIsEndedAtItsLimit) {
  scene_.limit("MEMORY_LIMIT_MB", "120");
  expect_memory(scene_.run({"leak", "150", "1000", "hold"}));
  const long peak = std::atol(field(scene_.only_record(), "peak_process_kb").c_str());
  EXPECT_GE(peak, 120L * 1'024);
  EXPECT_LT(peak, 600L * 1'024);
}

TEST_F(MemoryGuardTest, ABurstThatIgnoresTermDoesNotGetFar) {
  scene_.limit("MEMORY_LIMIT_MB", "200");
  scene_.limit("KILL_TIMEOUT", "20");  // growing memory does not wait for it
  const std::string count = scene_.sandbox().fresh_path("count");
  const Ended ended = scene_.run({"count", count, "ignore-term", "leak", "1000", "1400", "hold"});
  expect_memory(ended);
  EXPECT_LT(GuardScene::counted_megabytes(count), 1'000U);
  EXPECT_LT(ended.took, milliseconds{10'000});
}

TEST_F(MemoryGuardTest, ASlowGrowerThatIgnoresTermIsKilledBeforeKillTimeout) {
  scene_.limit("MEMORY_LIMIT_MB", "100");
  scene_.limit("KILL_TIMEOUT", "20");
  const Ended ended = scene_.run({"ignore-term", "leak", "60", "1000", "hold"});
  expect_memory(ended);
  EXPECT_LT(ended.took, milliseconds{12'000});
}

TEST_F(MemoryGuardTest, WhoStopsGrowingHasKillTimeoutToEndByItself) {
  scene_.limit("MEMORY_LIMIT_MB", "100");
  scene_.limit("KILL_TIMEOUT", "20");
  const Ended ended = scene_.run({"end-on-term", "burst", "100", "hold"});
  expect_memory(ended);
  EXPECT_THAT(scene_.sandbox().texts("sig TERM"), SizeIs(1));
  EXPECT_LT(ended.took, milliseconds{10'000});
}

TEST_F(MemoryGuardTest, ATermIgnorerThatStopsGrowingIsKilledAtKillTimeout) {
  scene_.limit("MEMORY_LIMIT_MB", "100");
  // Over the limit by what a process has anyway: no look falls into growth beyond it.
  const Ended ended = scene_.run({"note-term", "burst", "100", "hold"});
  expect_memory(ended);
  EXPECT_THAT(scene_.sandbox().texts("sig TERM"), SizeIs(1));
  EXPECT_GE(ended.took, milliseconds{1'000});
}

TEST_F(MemoryGuardTest, AListThatLivesForAMomentIsSeen) {
  if (::access("/usr/bin/python3", X_OK) != 0) {
    GTEST_SKIP() << "there is no /usr/bin/python3";
  }
  scene_.limit("MEMORY_LIMIT_MB", "100");
  const Ended ended = scene_.sandbox().run(scene_.run_command(
      {"/usr/bin/python3", "-c", "import time; x = [0] * 50000000; time.sleep(0.4)"}));
  expect_memory(ended);
}

TEST_F(MemoryGuardTest, AGrandchildCountsWhateverItDidToItself) {
  scene_.limit("MEMORY_LIMIT_MB", "100");
  expect_memory(scene_.run({"each", "1", "escape", "ignore-term", "burst", "180", "hold", "end",
                            "ignore-term", "hold"}));
}

TEST_F(MemoryGuardTest, WhatLooksLikeADaemonIsNotSparedWhenTheToolEndsOfTerm) {
  scene_.limit("MEMORY_LIMIT_MB", "100");
  expect_memory(scene_.run({"each", "2", "escape", "hold", "end", "end-on-term", "sleep", "300",
                            "burst", "100", "hold"}));
}

TEST_F(MemoryGuardTest, AMappedFileInTmpfsIsMemory) {
  if (!std::filesystem::is_directory("/dev/shm")) {
    GTEST_SKIP() << "there is no /dev/shm";
  }
  scene_.limit("MEMORY_LIMIT_MB", "100");
  expect_memory(scene_.run({"shm", "180", "hold"}));
}

TEST_F(MemoryGuardTest, AProcessOfAnotherUserCounts) {
  if (::geteuid() != 0 || ::access("/usr/bin/setpriv", X_OK) != 0) {
    GTEST_SKIP() << "only root, with setpriv, starts processes of another user";
  }
  // Only root can read the sandbox; the hog is started from where every user can.
  std::filesystem::permissions(scene_.sandbox().root(), std::filesystem::perms{0755});
  const std::string copy = scene_.sandbox().root() + "/hog";
  std::filesystem::copy_file(scene_.hog_program(), copy);
  scene_.limit("MEMORY_LIMIT_MB", "100");
  expect_memory(scene_.sandbox().run(
      scene_.run_command({"/usr/bin/setpriv", "--reuid=65533", "--regid=65533", "--clear-groups",
                          copy, "mark", scene_.mark(), "ignore-term", "burst", "180", "hold"})));
}

// --- The tree -----------------------------------------------------------------

TEST_F(MemoryGuardTest, FourThatAreSmallAloneAreTooMuchTogether) {
  scene_.limit("MEMORY_LIMIT_MB", "150");
  scene_.limit("TREE_MEMORY_LIMIT_MB", "200");
  expect_tree(scene_.run({"each", "4", "burst", "80", "hold", "end", "hold"}));
}

TEST_F(MemoryGuardTest, ForksThatWriteToWhatTheySharedCountOnTheirOwn) {
  scene_.limit("MEMORY_LIMIT_MB", "150");
  scene_.limit("TREE_MEMORY_LIMIT_MB", "200");
  expect_tree(scene_.run({"burst", "60", "each", "4", "dirty", "hold", "end", "hold"}));
}

TEST_F(MemoryGuardTest, ManySmallOnesOutsideOfTheSessionAreTooMuchTogether) {
  scene_.limit("TREE_MEMORY_LIMIT_MB", "150");
  expect_tree(
      scene_.run({"each", "30", "escape", "ignore-term", "burst", "10", "hold", "end", "hold"}));
}

// --- The warning --------------------------------------------------------------

TEST_F(MemoryGuardTest, HalfWayThereIsOneWarningWithSizeAndSlope) {
  scene_.limit("MEMORY_LIMIT_MB", "200");
  scene_.limit("CHECK_INTERVAL", "200ms");
  Running running = scene_.sandbox().start(
      scene_.hog({"say", "up", "leak", "60", "130", "sleep", "700", "exit", "3"}));
  const pid_t pid = scene_.sandbox().wait_for("up").pid;
  const Ended ended = running.wait();
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
  const auto warnings = lines_with(ended.err, "onelane: ");
  ASSERT_THAT(warnings, SizeIs(1)) << ended.err;
  EXPECT_THAT(warnings[0], HasSubstr(std::to_string(pid)));
  EXPECT_THAT(warnings[0], HasSubstr("make"));
  EXPECT_THAT(warnings[0], HasSubstr("MB"));
  EXPECT_THAT(warnings[0], HasSubstr("limit in"));
}

TEST_F(MemoryGuardTest, ItComesAgainOnlyAfterUseFellBelowForty) {
  scene_.limit("MEMORY_LIMIT_MB", "200");
  scene_.limit("CHECK_INTERVAL", "50ms");
  const Words again{"burst", "120", "sleep", "500"};
  const Ended ended =
      scene_.run(again + Words{"release", "90", "sleep", "500"} + again +
                 Words{"release", "20", "sleep", "500"} + again + Words{"exit", "3"});
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(lines_with(ended.err, "onelane: "), SizeIs(2)) << ended.err;
}

// --- Around it ----------------------------------------------------------------

TEST_F(MemoryGuardTest, WhoWaitsStartsAfterTheHogIsGone) {
  scene_.limit("MEMORY_LIMIT_MB", "150");
  Running hog =
      scene_.sandbox().start(scene_.hog({"say", "up", "ignore-term", "leak", "60", "1000"}));
  const Event up = scene_.sandbox().wait_for("up");
  // Would fail with OVERLAP while the hog is alive: its pid is gone before this starts.
  Running next = scene_.sandbox().start(
      {"pytest", "call", "sh", "-c", "! kill -0 " + std::to_string(up.pid), "end", "exit", "4"});
  EXPECT_TRUE(hog.wait().exited_with(137));
  const Ended ended = next.wait();
  EXPECT_TRUE(ended.exited_with(4)) << describe_status(ended.wait_status) << ended.err;
}

TEST_F(MemoryGuardTest, AProcessOutsideOfTheRunIsLeftAlone) {
  scene_.limit("MEMORY_LIMIT_MB", "100");
  Running outsider =
      scene_.sandbox().start(Words{scene_.hog_program(), "say", "outside", "burst", "150", "hold"});
  scene_.sandbox().wait_for("outside");
  expect_memory(scene_.run({"burst", "180", "hold"}));
  EXPECT_TRUE(outsider.is_running());
}

}  // namespace
}  // namespace onelane::test
