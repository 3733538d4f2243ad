#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/vfs.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/guard_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;

constexpr long kTmpfs = 0x01021994;  ///< statfs(2)

/// Runs that look heavy but are not: each ends with its own code, and onelane says nothing.
class SparesTest : public testing::Test {
 protected:
  SparesTest() { scene_.limit("CHECK_INTERVAL", "100ms"); }

  void expect_spared(const Ended& ended) {
    EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << "\n" << ended.err;
    EXPECT_EQ(ended.err, "");
    scene_.expect_nothing_left();
  }
  void expect_spared(const Words& verbs) { expect_spared(scene_.run(verbs + Words{"exit", "3"})); }

  GuardScene scene_;
};

// --- Memory that is not the process's own -------------------------------------

TEST_F(SparesTest, ForksThatShareOneHeapCountItOnce) {
  // The resident sizes add up to 750 MB; counted once it is 150 MB.
  scene_.limit("MEMORY_LIMIT_MB", "350");
  scene_.limit("TREE_MEMORY_LIMIT_MB", "350");
  expect_spared({"burst", "150", "each", "4", "sleep", "1200", "end", "wait-all"});
}

TEST_F(SparesTest, SixtyWorkersOnOneHeap) {
  scene_.limit("TREE_MEMORY_LIMIT_MB", "250");
  expect_spared({"burst", "80", "each", "60", "sleep", "1000", "end", "wait-all"});
}

TEST_F(SparesTest, PagesOfAMappedFileDoNotCount) {
  struct statfs info {};
  ::statfs(scene_.sandbox().root().c_str(), &info);
  if (info.f_type == kTmpfs) {
    GTEST_SKIP() << "temporary files are in memory here";
  }
  const std::string pack = scene_.sandbox().fresh_path("pack");
  std::ofstream{pack} << "";
  fs::resize_file(pack, 300 << 20);
  scene_.limit("MEMORY_LIMIT_MB", "100");
  scene_.limit("TREE_MEMORY_LIMIT_MB", "150");
  expect_spared(
      {"each", "3", "map", pack, "sleep", "800", "end", "map", pack, "sleep", "800", "wait-all"});
}

TEST_F(SparesTest, AFileThatIsWrittenIsNotTheWritersMemory) {
  scene_.limit("MEMORY_LIMIT_MB", "60");
  expect_spared(scene_.sandbox().run(scene_.run_command(
      {"/bin/sh", "-c",
       "dd if=/dev/zero of=big bs=1M count=200 status=none && cat big big >/dev/null && rm big; "
       "exit 3"})));
}

TEST_F(SparesTest, AddressSpaceIsNoMemory) {
  scene_.limit("MEMORY_LIMIT_MB", "60");
  scene_.limit("TREE_MEMORY_LIMIT_MB", "60");
  expect_spared({"reserve", "8192", "sleep", "500"});
}

TEST_F(SparesTest, SharedMemoryOfATreeCountsOnce) {
  scene_.limit("TREE_MEMORY_LIMIT_MB", "300");
  scene_.limit("MEMORY_LIMIT_MB", "300");
  expect_spared({"shm", "100", "each", "4", "sleep", "900", "end", "wait-all"});
}

TEST_F(SparesTest, WhoStaysBelowTheLimitIsOnlyWarned) {
  scene_.limit("MEMORY_LIMIT_MB", "200");
  const Ended ended = scene_.run({"leak", "300", "170", "sleep", "1500", "exit", "3"});
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
}

TEST_F(SparesTest, BelowHalfThereIsNoWarning) {
  scene_.limit("MEMORY_LIMIT_MB", "200");
  scene_.limit("TREE_MEMORY_LIMIT_MB", "200");
  expect_spared({"leak", "200", "80", "sleep", "400"});
}

TEST_F(SparesTest, ZeroIsNoLimit) {
  for (const char* name : {"MEMORY_LIMIT_MB", "TREE_MEMORY_LIMIT_MB", "MAX_PROCESSES", "TIMEOUT",
                           "IDLE_TIMEOUT", "PIPELINE_TIMEOUT"}) {
    scene_.limit(name, "0");
  }
  expect_spared({"burst", "300", "each", "30", "sleep", "1200", "end", "wait-all"});
}

// --- Processes ----------------------------------------------------------------

TEST_F(SparesTest, ThreadsAreNotProcesses) {
  scene_.limit("MAX_PROCESSES", "30");
  expect_spared({"threads", "100", "sleep", "600"});
}

TEST_F(SparesTest, ManyOneAfterTheOtherAreNotManyAtOnce) {
  scene_.limit("MAX_PROCESSES", "30");
  expect_spared({"each", "4", "churn", "150", "end", "wait-all"});
}

TEST_F(SparesTest, JustAsManyAsAllowed) {
  scene_.limit("MAX_PROCESSES", "30");
  expect_spared({"each", "29", "sleep", "700", "end", "wait-all"});
}

TEST_F(SparesTest, TheProcessesOfOthersAreTheirs) {
  scene_.limit("MAX_PROCESSES", "30");
  Running other = scene_.sandbox().start(
      {scene_.hog_program(), "each", "50", "idle", "2", "end", "say", "many", "idle", "2"});
  scene_.sandbox().wait_for("many");
  expect_spared({"each", "10", "sleep", "400", "end", "wait-all"});
  EXPECT_TRUE(other.wait().exited_with(0));
}

// --- Work that is quiet -------------------------------------------------------

class QuietWorkTest : public SparesTest, public testing::WithParamInterface<const char*> {};

TEST_P(QuietWorkTest, OfAChildIsNotIdle) {
  scene_.limit("IDLE_TIMEOUT", "1");
  scene_.limit("IDLE_ACTION", "kill");
  expect_spared({"each", "1", GetParam(), "2", "end", "wait-all"});
}

INSTANTIATE_TEST_SUITE_P(Each, QuietWorkTest, testing::Values("busy", "io"),
                         [](const auto& each) { return std::string{each.param}; });

TEST_F(SparesTest, ChildrenThatComeAndGoAreNotIdle) {
  scene_.limit("IDLE_TIMEOUT", "1");
  scene_.limit("IDLE_ACTION", "kill");
  expect_spared(scene_.sandbox().run(
      scene_.run_command({"/bin/sh", "-c",
                          "for i in 1 2 3 4 5 6 7 8; do sleep 0.3; cat /proc/self/maps >/dev/null; "
                          "done; exit 3"})));
}

// --- Ends of their own --------------------------------------------------------

TEST_F(SparesTest, TheToolsOwnCodesMeanNoLimit) {
  for (const int code : {124, 137, 75}) {
    const Ended ended = scene_.run({"exit", std::to_string(code)});
    EXPECT_TRUE(ended.exited_with(code)) << describe_status(ended.wait_status);
    EXPECT_EQ(ended.err, "");
  }
  for (const std::string& record : scene_.journal()) {
    EXPECT_EQ(field(record, "reason"), "exited") << record;
  }
}

TEST_F(SparesTest, WithinItsTimeAndEndedAtOnce) {
  scene_.limit("TIMEOUT", "30");
  const Ended ended = scene_.run({"sleep", "300", "exit", "3"});
  expect_spared(ended);
  EXPECT_LT(ended.took, std::chrono::milliseconds{5'000});
}

// --- What the tool has left on purpose ----------------------------------------

TEST_F(SparesTest, ADaemonWhenSomethingElseThatIsLeftGrowsTooLarge) {
  scene_.limit("MEMORY_LIMIT_MB", "60");
  scene_.limit("LINGER", "20");
  const Ended ended = scene_.run({"each", "1",   "escape", "say",  "daemon", "hold", "end",
                                  "each", "1",   "sleep",  "1000", "leak",   "200",  "150",
                                  "hold", "end", "sleep",  "300",  "exit",   "3"});
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << "\n" << ended.err;
  EXPECT_THAT(ended.err, testing::HasSubstr("MEMORY_LIMIT_MB"));
  const auto daemon = scene_.survivors();
  ASSERT_THAT(daemon, testing::SizeIs(1)) << ended.err;
  ::kill(daemon.front(), SIGKILL);
  EXPECT_TRUE(eventually([&] { return scene_.survivors().empty(); }));
}

}  // namespace
}  // namespace onelane::test
