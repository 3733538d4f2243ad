#include <signal.h>

#include "tests/integration/steer_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::HasSubstr;

/// A lane whose gate is kept by a stopped process.
class HeldGateTest : public SteerScene {
 protected:
  HeldGateTest() {
    EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));  // makes lane and gate
    const std::string script = "import fcntl,os,signal\nf=open('" + state() +
                               "/gate','r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\n"
                               "os.kill(os.getpid(),signal.SIGSTOP)\n";
    keeper_.emplace(sandbox_.start({"/usr/bin/python3", "-c", script}));
    EXPECT_TRUE(eventually([&] { return !status_of(sandbox_)["gate"].is_null(); }));
  }

  [[nodiscard]] std::string state() const { return sandbox_.project() + "/.git/onelane"; }
  [[nodiscard]] std::string keeper_words() const {
    return "(pid " + std::to_string(keeper_->pid()) + ", stopped)";
  }
  void free_gate() {
    keeper_->signal(SIGCONT);
    EXPECT_TRUE(keeper_->wait().exited_with(0));
  }
  /// A make whose notices go to a file.
  Running start_waiter() {
    return sandbox_.start({"sh", "-c", "exec make trace in 2>" + notices()});
  }
  [[nodiscard]] std::string notices() const { return sandbox_.root() + "/notices"; }

  std::optional<Running> keeper_;
};

TEST_F(HeldGateTest, StatusNamesTheProcess) {
  const json gate = status_of(sandbox_)["gate"];
  EXPECT_EQ(gate["pid"], keeper_->pid());
  EXPECT_EQ(gate["stopped"], true);
  EXPECT_EQ(gate["frozen"], false);
  EXPECT_THAT(onelane({"status"}).out,
              AllOf(HasSubstr("gate:"), HasSubstr(keeper_words()),
                    HasSubstr("kill -CONT " + std::to_string(keeper_->pid()))));
  free_gate();
  EXPECT_TRUE(status_of(sandbox_)["gate"].is_null());
}

TEST_F(HeldGateTest, ACallSaysSoAndGoesOnWhenItIsFree) {
  Running waiter = start_waiter();
  ASSERT_TRUE(comes_to_contain(notices(), "the gate is held by"));
  EXPECT_THAT(contents_of(notices()), HasSubstr(keeper_words()));
  EXPECT_TRUE(sandbox_.texts("in").empty());
  free_gate();
  EXPECT_TRUE(waiter.wait().exited_with(0));
  EXPECT_EQ(sandbox_.texts("in").size(), 1U);
}

TEST_F(HeldGateTest, NoWaitGivesUpSoon) {
  const Ended refused = onelane({"run", "--no-wait", "--", "make", "trace", "in"});
  EXPECT_TRUE(refused.exited_with(75)) << describe_status(refused.wait_status);
  EXPECT_LT(refused.took, milliseconds{2'000});
  EXPECT_THAT(refused.err, AllOf(HasSubstr("the gate is held by"), HasSubstr(keeper_words())));
  EXPECT_TRUE(sandbox_.texts("in").empty());
}

TEST_F(HeldGateTest, QueueTimeoutCounts) {
  sandbox_.set_environment("ONELANE_QUEUE_TIMEOUT", "1");
  const Ended ended = sandbox_.run({"make", "trace", "in"});
  EXPECT_TRUE(ended.exited_with(75)) << describe_status(ended.wait_status);
  EXPECT_GE(ended.took, milliseconds{1'000});
  EXPECT_LT(ended.took, milliseconds{3'000});
  EXPECT_THAT(ended.err, AllOf(HasSubstr("QUEUE_TIMEOUT"), HasSubstr(keeper_words())));
}

TEST_F(HeldGateTest, AnEndingSignalEndsACallAtOnce) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    Running waiter = start_waiter();
    ASSERT_TRUE(comes_to_contain(notices(), "the gate is held by"));
    waiter.signal(signal);
    const Ended ended = waiter.wait();
    EXPECT_TRUE(ended.died_of(signal)) << describe_status(ended.wait_status);
    std::filesystem::remove(notices());
  }
}

// The lock on its slot's byte is enough to leave: a call in the queue need not enter the gate
// either.
TEST_F(HeldGateTest, AlsoOneThatHasAPlaceInTheQueue) {
  free_gate();
  Holder holder{sandbox_};
  Running waiter = queue("in");
  keeper_.emplace(sandbox_.start(
      {"/usr/bin/python3", "-c",
       "import fcntl,os,signal\nf=open('" + state() +
           "/gate','r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\nos.kill(os.getpid(),signal.SIGSTOP)\n"}));
  ASSERT_TRUE(eventually([&] { return !status_of(sandbox_)["gate"].is_null(); }));
  waiter.signal(SIGINT);
  EXPECT_TRUE(waiter.wait().died_of(SIGINT));
  EXPECT_TRUE(status_of(sandbox_)["queue"].empty());
  free_gate();
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(sandbox_.run({"make", "trace", "after"}).exited_with(0));
}

TEST_F(HeldGateTest, ACallStopsAndGoesOn) {
  Running waiter = start_waiter();
  ASSERT_TRUE(comes_to_contain(notices(), "the gate is held by"));
  waiter.signal(SIGTSTP);  // in an orphaned process group the kernel drops it
  waiter.signal(SIGCONT);
  free_gate();
  EXPECT_TRUE(waiter.wait().exited_with(0));
}

TEST_F(HeldGateTest, WhatAPersonAsksForFailsAndSaysWhy) {
  for (const Words& words : {Words{"hold"}, Words{"cancel", "aaaaaaaaaaa"}}) {
    const Ended ended = onelane(words);
    EXPECT_FALSE(ended.exited_with(0));
    EXPECT_LT(ended.took, milliseconds{3'000});
  }
  EXPECT_THAT(onelane({"hold"}).err, HasSubstr(keeper_words()));
}

TEST_F(HeldGateTest, AServiceIsNotKeptFromRunning) {
  sandbox_.use_real("npm");
  const std::string npm = sandbox_.tools() + "/npm";
  std::ofstream{npm} << "#!/bin/sh\necho served\n";
  std::filesystem::permissions(npm, std::filesystem::perms::all);
  const Ended ended = sandbox_.run({"npm", "run", "dev"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.out, "served\n");
  EXPECT_THAT(ended.err, HasSubstr(keeper_words()));
}

}  // namespace
}  // namespace onelane::test
