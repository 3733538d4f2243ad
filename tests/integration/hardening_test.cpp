#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/lane/table.hpp"
#include "core/sys/process.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

/// Unusual callers and environments; the tool must run all the same.
class HardeningTest : public testing::Test {
 protected:
  /// A run that holds the lane until the gate opens.
  Running hold() {
    Running holder =
        sandbox_.start({"make", "trace", "holding", "hold-until", gate_.path(), "exit", "0"});
    sandbox_.wait_for("holding");
    return holder;
  }

  /// Waits until one ticket waits in the lane.
  void wait_until_queued() {
    const std::string lane = sandbox_.project() + "/.git/onelane/lane";
    ASSERT_TRUE(eventually([&] {
      const auto table = lane::Table::open_existing(lane);
      return table && !lane::waiting_order(table->entries(table->header().high)).empty();
    }));
  }

  Sandbox sandbox_{Mode::Shim};
  Gate gate_{sandbox_};
};

TEST_F(HardeningTest, ASignalThatTheCallerIgnoresDoesNotLeaveTheQueue) {
  Running holder = hold();
  Start ignoring;
  ignoring.before_exec = [] { ::signal(SIGHUP, SIG_IGN); };
  Running waiter = sandbox_.start({"make", "trace", "second", "exit", "5"}, ignoring);
  wait_until_queued();
  waiter.signal(SIGHUP);
  gate_.open();
  EXPECT_TRUE(waiter.wait().exited_with(5));
  EXPECT_TRUE(holder.wait().exited_with(0));
}

TEST_F(HardeningTest, AnUnreadNoticeDoesNotEndTheCall) {
  Running holder = hold();
  Start deaf;
  deaf.before_exec = [] {
    int ends[2];
    if (::pipe(ends) == 0) {
      ::dup2(ends[1], 2);
      ::close(ends[0]);
      ::close(ends[1]);
    }
  };
  Running waiter = sandbox_.start({"make", "exit", "6"}, deaf);
  wait_until_queued();
  // Longer than the 400 ms of silence, so that the notice has met the closed pipe.
  EXPECT_FALSE(eventually([&] { return !waiter.is_running(); }, std::chrono::milliseconds{800}));
  gate_.open();
  EXPECT_TRUE(waiter.wait().exited_with(6));
  EXPECT_TRUE(holder.wait().exited_with(0));
}

TEST_F(HardeningTest, ACallerWithHundredsOfDescriptorsIsServed) {
  Start crowded;
  crowded.before_exec = [] {
    for (int fd = 200; fd < 345; ++fd) {
      ::dup2(2, fd);
    }
  };
  const Ended ended = sandbox_.run({"make", "exit", "7"}, crowded);
  EXPECT_TRUE(ended.exited_with(7)) << describe_status(ended.wait_status);
}

TEST_F(HardeningTest, AFileSizeLimitOfZeroCostsTheLaneAndNotTheRun) {
  Start limited;
  limited.before_exec = [] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_FSIZE, &none);
  };
  const Ended ended = sandbox_.run({"make", "exit", "8"}, limited);
  EXPECT_TRUE(ended.exited_with(8)) << describe_status(ended.wait_status);
}

TEST_F(HardeningTest, AStoppedGuardianDoesNotHoldTheEndUp) {
  Running run = hold();
  pid_t guardian = -1;
  ASSERT_TRUE(eventually([&] {
    for (const auto& stat : sys::descendants_of(run.pid())) {
      guardian = std::string_view{stat.name.data()} == "onelane-guard" ? stat.id.pid : guardian;
    }
    return guardian > 0;
  }));
  ::kill(guardian, SIGSTOP);
  gate_.open();
  EXPECT_TRUE(run.wait().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
