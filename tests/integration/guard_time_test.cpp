#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>

#include "tests/integration/guard_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

/// Runs that take too long, or do nothing for too long.
class TimeGuardTest : public testing::Test {
 protected:
  void expect_ended(const Ended& ended, const std::string& reason, const std::string& name) {
    EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status) << "\n" << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(name));
    scene_.expect_nothing_left();
    const std::string record = scene_.only_record();
    EXPECT_EQ(field(record, "reason"), reason) << record;
    EXPECT_EQ(field(record, "code"), "124") << record;
  }

  GuardScene scene_;
};

// --- TIMEOUT ------------------------------------------------------------------

TEST_F(TimeGuardTest, ARunThatTakesTooLongGetsTerm) {
  scene_.limit("TIMEOUT", "1");
  const Ended ended = scene_.run({"end-on-term", "hold"});
  expect_ended(ended, "timeout", "TIMEOUT");
  EXPECT_THAT(scene_.sandbox().texts("sig TERM"), SizeIs(1));
  EXPECT_GE(ended.took, milliseconds{1'000});
}

TEST_F(TimeGuardTest, WhoIgnoresTermIsKilledAtKillTimeout) {
  scene_.limit("TIMEOUT", "0.5");
  const Ended ended = scene_.run({"note-term", "each", "5", "note-term", "hold", "end", "hold"});
  expect_ended(ended, "timeout", "TIMEOUT");
  EXPECT_THAT(scene_.sandbox().texts("sig TERM"), SizeIs(6));
  EXPECT_GE(ended.took, milliseconds{1'500});
}

TEST_F(TimeGuardTest, ABusyTreeEndsWithItsSessionsAndDaemons) {
  scene_.limit("TIMEOUT", "0.5");
  expect_ended(scene_.run({"each", "3", "escape", "busy", "30", "end", "busy", "30"}), "timeout",
               "TIMEOUT");
}

TEST_F(TimeGuardTest, TheSecondsOfOnelaneRunAreSetBare) {
  scene_.sandbox().set_environment("TIMEOUT", "1");
  expect_ended(scene_.sandbox().run(scene_.run_command(scene_.bare_hog({"idle", "10"}))), "timeout",
               "TIMEOUT");
}

TEST_F(TimeGuardTest, OnelaneRunEndsWhatItsCommandLeftToo) {
  // It waits for every descendant, under all limits.
  scene_.limit("TIMEOUT", "1");
  expect_ended(scene_.sandbox().run(scene_.run_command(
                   scene_.bare_hog({"each", "1", "ignore-term", "hold", "end", "exit", "0"}))),
               "timeout", "TIMEOUT");
}

TEST_F(TimeGuardTest, WhatTheToolEndedWithDoesNotHideTheLimit) {
  scene_.limit("TIMEOUT", "1");
  expect_ended(scene_.sandbox().run(scene_.run_command(
                   {"/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"})),
               "timeout", "TIMEOUT");
}

// --- PIPELINE_TIMEOUT ---------------------------------------------------------

TEST_F(TimeGuardTest, APipelineThatTakesTooLong) {
  scene_.limit("PIPELINE_TIMEOUT", "1");
  expect_ended(scene_.run({"end-on-term", "hold"}), "pipeline-timeout", "PIPELINE_TIMEOUT");
}

// --- IDLE_TIMEOUT -------------------------------------------------------------

TEST_F(TimeGuardTest, AnIdleRunIsNamedOnceAndGoesOn) {
  scene_.limit("IDLE_TIMEOUT", "1");
  scene_.limit("CHECK_INTERVAL", "200ms");
  const Ended ended = scene_.run({"idle", "3", "exit", "3"});
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(lines_with(ended.err, "onelane: "), SizeIs(1)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("IDLE_TIMEOUT"));
  EXPECT_EQ(field(scene_.only_record(), "reason"), "exited");
}

TEST_F(TimeGuardTest, WithIdleActionKillItIsEnded) {
  scene_.limit("IDLE_TIMEOUT", "1");
  scene_.limit("IDLE_ACTION", "kill");
  scene_.limit("CHECK_INTERVAL", "200ms");
  const Ended ended = scene_.run({"end-on-term", "idle", "20"});
  expect_ended(ended, "idle", "IDLE_TIMEOUT");
  EXPECT_THAT(scene_.sandbox().texts("sig TERM"), SizeIs(1));
  EXPECT_GE(ended.took, milliseconds{1'000});
}

TEST_F(TimeGuardTest, AnIdleTreeOfManyIsEnded) {
  scene_.limit("IDLE_TIMEOUT", "1");
  scene_.limit("IDLE_ACTION", "kill");
  scene_.limit("CHECK_INTERVAL", "200ms");
  expect_ended(scene_.run({"each", "30", "ignore-term", "hold", "end", "hold"}), "idle",
               "IDLE_TIMEOUT");
}

// --- Time that does not count -------------------------------------------------

TEST_F(TimeGuardTest, TimeInTheQueueDoesNotCount) {
  Gate gate{scene_.sandbox()};
  Running holder = scene_.sandbox().start({"pytest", "trace", "held", "hold-until", gate.path()});
  scene_.sandbox().wait_for("held");
  scene_.limit("TIMEOUT", "2");
  Running waiter = scene_.sandbox().start(scene_.hog({"sleep", "300", "exit", "3"}));
  EXPECT_FALSE(eventually([&] { return !waiter.is_running(); }, milliseconds{2'300}));
  gate.open();
  const Ended ended = waiter.wait();
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_TRUE(holder.wait().exited_with(0));
}

TEST_F(TimeGuardTest, TimeInWhichTheJobIsStoppedDoesNotCount) {
  scene_.limit("TIMEOUT", "2");
  Start options;
  options.new_session = true;  // its group is its own: kill(2) reaches just the job
  Running running =
      scene_.sandbox().start(scene_.hog({"say", "up", "sleep", "1000", "exit", "3"}), options);
  const pid_t tool = scene_.sandbox().wait_for("up").pid;
  ::kill(tool, SIGSTOP);
  EXPECT_FALSE(eventually([&] { return !running.is_running(); }, milliseconds{2'500}));
  ::kill(-running.pid(), SIGCONT);
  const Ended ended = running.wait();
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status) << ended.err;
}

TEST_F(TimeGuardTest, GitIsNeverEndedForItsTime) {
  scene_.limit("TIMEOUT", "0.5");
  for (const Words& call : {Words{"git", "commit", "-m", "x"}, Words{"git", "commit"}}) {
    scene_.sandbox().use_real("git");
    const std::string hook = scene_.sandbox().project() + "/.git/hooks/pre-commit";
    const Ended written = scene_.sandbox().run(
        {"/bin/sh", "-c",
         "printf '#!/bin/sh\\nsleep 1.5\\nexit 1\\n' >" + hook + "; chmod +x " + hook});
    EXPECT_TRUE(written.exited_with(0)) << written.err;
    const Ended ended = scene_.sandbox().run(call);
    EXPECT_TRUE(ended.exited_with(1)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_THAT(lines_with(ended.err, "TIMEOUT"), IsEmpty());
  }
}

TEST_F(TimeGuardTest, WhatReadsATerminalHasNoTimeLimit) {
  scene_.limit("TIMEOUT", "0.3");
  Sandbox& sandbox = scene_.sandbox();
  Terminal terminal{scene_.hog({"sleep", "1000", "exit", "3"}), sandbox.environment(),
                    sandbox.project()};
  const int status = terminal.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 3) << describe_status(status);
  EXPECT_EQ(field(scene_.only_record(), "reason"), "exited");
}

// --- A gentle start -----------------------------------------------------------

TEST_F(TimeGuardTest, NiceIoniceAndAffinityReachTheTool) {
  scene_.limit("NICE", "7");
  scene_.limit("IONICE", "idle");
  scene_.limit("CPU_AFFINITY", "0");
  const Ended ended = scene_.sandbox().run(
      scene_.run_command({"/bin/sh", "-c", "echo $(nice) $(ionice | cut -d: -f1) $(nproc)"}));
  const int nice = ::getpriority(PRIO_PROCESS, 0) + 7;
  EXPECT_EQ(ended.out, std::to_string(std::min(nice, 19)) + " idle 1\n") << ended.err;
}

TEST_F(TimeGuardTest, WithoutThemTheToolRunsAsTheCaller) {
  const Words ask{"/bin/sh", "-c", "echo $(nice) $(ionice) $(nproc)"};
  const std::string direct = scene_.sandbox().run(ask).out;
  EXPECT_EQ(scene_.sandbox().run(scene_.run_command(ask)).out, direct);
}

}  // namespace
}  // namespace onelane::test
