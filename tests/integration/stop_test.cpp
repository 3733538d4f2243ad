#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/sys/process.hpp"
#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Words = std::vector<std::string>;

class StopTest : public testing::Test {
 protected:
  StopTest() {
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.set_environment("ONELANE_LINGER", "1");
  }

  [[nodiscard]] Words stop_words(const Words& options) const {
    Words argv{onelane_of(sandbox_), "stop"};
    argv.insert(argv.end(), options.begin(), options.end());
    return argv;
  }
  Ended stop(const Words& options) { return sandbox_.run(stop_words(options)); }

  /// The run has ended, with all that belonged to it.
  void expect_gone(WorkerRun& run) {
    EXPECT_FALSE(is_alive(run.tool()));
    EXPECT_FALSE(is_alive(run.worker()));
    EXPECT_FALSE(run.running().wait().exited_with(0));
    EXPECT_TRUE(status_of(sandbox_)["holder"].is_null());
    EXPECT_TRUE(sandbox_.run({"pytest", "exit", "0"}).exited_with(0));
  }

  Sandbox sandbox_{Mode::Shim};
};

TEST_F(StopTest, NothingRuns) {
  const Ended ended = stop({});
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.out, "nothing runs here\n");
}

TEST_F(StopTest, WithoutAnIdOrAnAnswerItOnlySaysWhatToGive) {
  WorkerRun run{sandbox_, {}};
  const Ended ended = stop({});
  EXPECT_TRUE(ended.exited_with(64));
  EXPECT_THAT(ended.err, HasSubstr("`onelane stop " + run.id() + "`"));
  EXPECT_TRUE(is_alive(run.tool()));
  EXPECT_TRUE(stop({"--yes"}).exited_with(0));
  expect_gone(run);
}

TEST_F(StopTest, TheIdOfTheRunIsEnough) {
  WorkerRun run{sandbox_, {}};
  const Ended ended = stop({run.id()});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("ended run " + run.id() + " `make spawn trace worker"));
  const Ended again = stop({run.id()});
  EXPECT_TRUE(again.exited_with(0));
  EXPECT_EQ(again.out, "run " + run.id() + " has ended already\n");
  expect_gone(run);
}

TEST_F(StopTest, AWrongIdEndsNothingAndNamesTheOneThatRuns) {
  WorkerRun run{sandbox_, {}};
  const Ended ended = stop({"nosuchrunid"});
  EXPECT_TRUE(ended.exited_with(1));
  EXPECT_THAT(ended.err, HasSubstr("no run nosuchrunid here; run " + run.id()));
  EXPECT_TRUE(is_alive(run.tool()));
  EXPECT_TRUE(stop({"--yes"}).exited_with(0));
}

TEST_F(StopTest, ATreeThatIgnoresTermIsEnded) {
  WorkerRun run{sandbox_, {"ignore", "TERM", "setsid", "fork-away"}, {"ignore", "TERM"}};
  EXPECT_TRUE(stop({"--yes"}).exited_with(0));
  expect_gone(run);
}

TEST_F(StopTest, SoIsAStoppedOne) {
  WorkerRun run{sandbox_, {}};
  for (const pid_t pid : {run.worker(), run.tool(), run.supervisor()}) {
    ::kill(pid, SIGSTOP);
    ASSERT_TRUE(eventually([&] { return sys::read_stat(pid)->state == 'T'; }));
  }
  const Ended ended = stop({"--yes"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  expect_gone(run);
}

TEST_F(StopTest, SoIsOneThatIgnoresEverySignalThatAsks) {
  WorkerRun run{sandbox_, {"ignore", "TERM", "ignore", "INT", "ignore", "HUP"}};
  EXPECT_TRUE(stop({"--yes"}).exited_with(0));
  expect_gone(run);
}

TEST_F(StopTest, AllEmptiesTheQueueBeforeTheNextCallStarts) {
  WorkerRun run{sandbox_, {}};
  Running first = sandbox_.start({"pytest", "trace", "started"});
  Running second = sandbox_.start({"npm", "ci", "trace", "started"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 2));
  const Ended ended = stop({"--all", "--yes"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("cancelled 2 in the queue"));
  EXPECT_TRUE(first.wait().exited_with(75));
  EXPECT_TRUE(second.wait().exited_with(75));
  EXPECT_TRUE(sandbox_.texts("started").empty());
  expect_gone(run);
}

TEST_F(StopTest, WithoutAllTheNextOneStarts) {
  WorkerRun run{sandbox_, {}};
  Running next = sandbox_.start({"pytest", "trace", "started"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_TRUE(stop({run.id()}).exited_with(0));
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_EQ(sandbox_.texts("started").size(), 1U);
}

TEST_F(StopTest, TwoAtOnceAreOne) {
  WorkerRun run{sandbox_, {"ignore", "TERM"}, {"ignore", "TERM"}};
  Running first = sandbox_.start(stop_words({run.id()}));
  Running second = sandbox_.start(stop_words({"--yes"}));
  EXPECT_TRUE(first.wait(3 * kDeadline).exited_with(0));
  EXPECT_TRUE(second.wait(3 * kDeadline).exited_with(0));
  expect_gone(run);
}

TEST_F(StopTest, ItWaitsForTheGuardianWhenTheSupervisorIsKilledMeanwhile) {
  WorkerRun run{sandbox_, {"ignore", "TERM"}, {"ignore", "TERM"}};
  ASSERT_GT(guardian_of(run.supervisor()), 0);
  Running stopping = sandbox_.start(stop_words({run.id()}));
  run.running().signal(SIGKILL);  // before it obeys, unless the machine is very busy
  (void)run.running().wait();
  const Ended ended = stopping.wait(3 * kDeadline);
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_FALSE(is_alive(run.tool()));
  EXPECT_FALSE(is_alive(run.worker()));
}

TEST_F(StopTest, WhatAKilledRunLeftIsNamedAndEndedOnlyWhenConfirmed) {
  WorkerRun run{sandbox_, {"ignore", "TERM"}};
  run.kill_both();
  const Ended asked = stop({});
  EXPECT_TRUE(asked.exited_with(1));
  EXPECT_THAT(asked.err, HasSubstr("run " + run.id() + " was killed"));
  EXPECT_TRUE(is_alive(run.worker()));
  EXPECT_TRUE(stop({"--yes"}).exited_with(0));
  EXPECT_FALSE(is_alive(run.worker()));
}

TEST_F(StopTest, OnATerminalItAsks) {
  WorkerRun run{sandbox_, {}};
  Terminal declined{stop_words({}), sandbox_.environment(), sandbox_.project()};
  EXPECT_THAT(declined.expect("? [y/N] "), HasSubstr("end run " + run.id() + " `make spawn"));
  declined.send("\n");
  EXPECT_EQ(WEXITSTATUS(declined.wait()), 1);
  EXPECT_TRUE(is_alive(run.tool()));
  Terminal accepted{stop_words({}), sandbox_.environment(), sandbox_.project()};
  accepted.expect("? [y/N] ");
  accepted.send("y\n");
  EXPECT_EQ(WEXITSTATUS(accepted.wait()), 0);
  expect_gone(run);
}

TEST_F(StopTest, FromInsideTheRunItRefuses) {
  Words argv{"make", "call"};
  const Words words = stop_words({"--yes"});
  argv.insert(argv.end(), words.begin(), words.end());
  argv.emplace_back("end");
  const Ended ended = sandbox_.run(argv);
  EXPECT_TRUE(ended.exited_with(1)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, HasSubstr("this call is a part of it"));
}

TEST_F(StopTest, AServiceIsEndedByItsId) {
  Gate gate{sandbox_};
  sandbox_.use_real("npm");
  sandbox_.add_plain_tool("probe");
  const std::string npm = sandbox_.tools() + "/npm";
  std::ofstream{npm} << "#!/bin/sh\nexec probe trace up hold-until " + gate.path() + "\n";
  std::filesystem::permissions(npm, std::filesystem::perms::all);
  Running service = sandbox_.start({"npm", "run", "dev"});
  sandbox_.wait_for("up");
  const json listed = status_of(sandbox_)["services"];
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(stop({}).out, "nothing runs here\n");
  EXPECT_TRUE(service.is_running());
  EXPECT_TRUE(stop({listed[0]["id"].get<std::string>()}).exited_with(0));
  EXPECT_FALSE(service.wait().exited_with(0));
  EXPECT_TRUE(status_of(sandbox_)["services"].empty());
}

TEST_F(StopTest, WithTwoLanesBothRunsAreEnded) {
  sandbox_.set_environment("ONELANE_LANES", "split");
  WorkerRun run{sandbox_, {}};
  Gate gate{sandbox_, "git"};
  Running git = sandbox_.start({"git", "trace", "git", "hold-until", gate.path()});
  const bool started = eventually([&] {
    const json status = status_of(sandbox_);
    return status.contains("git_lane") && !status["git_lane"]["holder"].is_null();
  });
  ASSERT_TRUE(started);
  const Ended ended = stop({"--yes", "--json"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(json::parse(ended.out)["ended"].size(), 2U);
  (void)git.wait();
  expect_gone(run);
}

}  // namespace
}  // namespace onelane::test
