#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>

#include "tests/integration/guard_scene.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Limits of the machine that are checked before a run starts.
class AdmissionTest : public testing::Test {
 protected:
  static constexpr const char* kNever = "1000000000";  ///< Megabytes that no machine has.

  void expect_refused(const Ended& ended, const std::string& name) {
    EXPECT_TRUE(ended.exited_with(75)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_THAT(lines_with(ended.err, name), SizeIs(1)) << ended.err;
    EXPECT_THAT(scene_.sandbox().texts("ran"), IsEmpty());
    scene_.expect_nothing_left();
  }
  void expect_ran(const Ended& ended) {
    EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_THAT(scene_.sandbox().texts("ran"), SizeIs(1));
    EXPECT_EQ(ended.err, "");
  }
  Ended call() { return scene_.run({"say", "ran", "exit", "3"}); }
  [[nodiscard]] static long available_megabytes() {
    std::ifstream file{"/proc/meminfo"};
    for (std::string word; file >> word;) {
      if (word == "MemAvailable:") {
        long kilobytes = 0;
        file >> kilobytes;
        return kilobytes >> 10;
      }
    }
    return 0;
  }

  GuardScene scene_;
};

TEST_F(AdmissionTest, TooLittleFreeMemoryIsRefused) {
  scene_.limit("MIN_FREE_MEMORY_MB", kNever);
  scene_.limit("ADMISSION", "refuse");
  expect_refused(call(), "MIN_FREE_MEMORY_MB");
}

TEST_F(AdmissionTest, TooMuchLoadIsRefused) {
  std::ifstream file{"/proc/loadavg"};
  double load = 0;
  if (!(file >> load) || load < 0.02) {
    GTEST_SKIP() << "this machine has no load";
  }
  scene_.limit("MAX_LOAD", "0.001");
  scene_.limit("ADMISSION", "refuse");
  expect_refused(call(), "MAX_LOAD");
}

TEST_F(AdmissionTest, OnelaneRunIsRefusedToo) {
  scene_.limit("MIN_FREE_MEMORY_MB", kNever);
  scene_.limit("ADMISSION", "refuse");
  expect_refused(scene_.sandbox().run(scene_.run_command(scene_.bare_hog({"say", "ran"}))),
                 "MIN_FREE_MEMORY_MB");
}

TEST_F(AdmissionTest, AMachineWithRoomIsNoReasonToWait) {
  scene_.limit("MIN_FREE_MEMORY_MB", "1");
  scene_.limit("MAX_LOAD", "100000");
  scene_.limit("MAX_MEMORY_PRESSURE", "99");
  scene_.limit("ADMISSION", "refuse");
  expect_ran(call());
}

TEST_F(AdmissionTest, WithoutTheSettingsTheMachineIsNotAsked) {
  scene_.limit("ADMISSION", "refuse");
  expect_ran(call());
}

TEST_F(AdmissionTest, ByDefaultItWaitsWithTheReasonAndTheQueueTimeoutEndsThat) {
  scene_.limit("MIN_FREE_MEMORY_MB", kNever);
  scene_.limit("QUEUE_TIMEOUT", "1.5");
  const Ended ended = call();
  EXPECT_TRUE(ended.exited_with(75)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("waiting"));
  EXPECT_THAT(ended.err, HasSubstr("MIN_FREE_MEMORY_MB"));
  EXPECT_THAT(scene_.sandbox().texts("ran"), IsEmpty());
  scene_.expect_nothing_left();
}

TEST_F(AdmissionTest, ASignalEndsTheWaiting) {
  scene_.limit("MIN_FREE_MEMORY_MB", kNever);
  Running waiting = scene_.sandbox().start(scene_.hog({"say", "ran"}));
  ASSERT_TRUE(eventually([&] {
    const std::string status = scene_.onelane({"status"}).out;
    return status.find("1.       make") != std::string::npos;
  })) << scene_.onelane({"status"}).out;
  waiting.signal(SIGINT);
  EXPECT_TRUE(waiting.wait().died_of(SIGINT));
  EXPECT_THAT(scene_.sandbox().texts("ran"), IsEmpty());
}

TEST_F(AdmissionTest, ANestedCallIsNotAskedAgain) {
  scene_.limit("ADMISSION", "refuse");
  const Ended ended = scene_.sandbox().run(
      {"npm", "call", "env", std::string{"ONELANE_MIN_FREE_MEMORY_MB="} + kNever, "make", "mark",
       scene_.mark(), "say", "ran", "end", "exit", "3"});
  expect_ran(ended);
}

TEST_F(AdmissionTest, ItStartsWhenThereIsRoomAgain) {
  constexpr long kHog = 800;
  const std::string count = scene_.sandbox().fresh_path("count");
  Running other = scene_.sandbox().start(
      scene_.bare_hog({"count", count, "burst", std::to_string(kHog), "say", "full", "hold"}));
  scene_.sandbox().wait_for("full");
  // Half of what the hog holds is a margin for anything else that runs on the machine.
  scene_.limit("MIN_FREE_MEMORY_MB", std::to_string(available_megabytes() + kHog / 2));
  Running waiting = scene_.sandbox().start(scene_.hog({"say", "ran", "exit", "3"}));
  EXPECT_FALSE(eventually([&] { return !waiting.is_running(); }, milliseconds{700}));
  EXPECT_THAT(scene_.sandbox().texts("ran"), IsEmpty());
  other.signal(SIGKILL);
  (void)other.wait();
  const Ended ended = waiting.wait(milliseconds{30'000});
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("MIN_FREE_MEMORY_MB"));
}

}  // namespace
}  // namespace onelane::test
