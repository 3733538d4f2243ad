// cancel, bump, hold and release: what happens to the calls that wait.
#include <signal.h>

#include "tests/integration/steer_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class SteerTest : public SteerScene {
 protected:
  /// `make` with its standard error in a file, so that it can be read meanwhile.
  Running queue_with_notices(const std::string& name, const std::string& file) {
    Running waiter = sandbox_.start({"bash", "-c", "exec make trace " + name + " 2>" + file});
    EXPECT_TRUE(eventually([&] { return !id_of("make trace " + name).empty(); }));
    return waiter;
  }
};

TEST_F(SteerTest, CancelledCallsLeaveWith75AndTheOthersRun) {
  Holder holder{sandbox_};
  Running a = queue("a");
  Running b = queue("b");
  Running c = queue("c");
  const std::string first = id_of("trace a");
  const Ended ended = onelane({"cancel", first, id_of("trace c")});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("cancelled run " + first + " `make trace a`\n"));
  const Ended left = a.wait();
  EXPECT_TRUE(left.exited_with(75));
  EXPECT_THAT(left.err, HasSubstr("onelane: cancelled while waiting\n"));
  EXPECT_TRUE(c.wait().exited_with(75));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(b.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "b"));
}

TEST_F(SteerTest, AStoppedCallWhoseTurnItIsBlocksNoOtherOnceItIsCancelled) {
  Holder holder{sandbox_};
  Running a = queue("a");
  Running b = queue("b");
  const std::string id = id_of("trace a");
  a.signal(SIGSTOP);
  EXPECT_TRUE(holder.release().exited_with(0));
  ASSERT_TRUE(comes_to_state(0, "granted"));
  EXPECT_EQ(id_of("trace a"), id);
  EXPECT_TRUE(b.is_running());
  EXPECT_TRUE(onelane({"cancel", id}).exited_with(0));
  EXPECT_TRUE(b.wait().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(75));  // it was continued so that it could leave
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "b"));
}

TEST_F(SteerTest, WhatRunsOrIsNotHereIsNotCancelled) {
  Holder holder{sandbox_};
  const std::string running = id_of("pytest");
  EXPECT_THAT(onelane({"cancel", "nosuchrunid"}).err, HasSubstr("; no call waits\n"));
  Running a = queue("a");
  const std::string waiting = id_of("trace a");
  const Ended runs = onelane({"cancel", running});
  EXPECT_TRUE(runs.exited_with(1));
  EXPECT_THAT(runs.err, HasSubstr("runs already: `onelane stop " + running + "`"));
  const Ended unknown = onelane({"cancel", "nosuchrunid", waiting, "--json"});
  EXPECT_TRUE(unknown.exited_with(1));
  EXPECT_THAT(unknown.err, HasSubstr("no run nosuchrunid waits here; run " + waiting +
                                     " `make trace a` waits\n"));
  const json said = json::parse(unknown.out);
  EXPECT_EQ(said["schema"], 1);
  EXPECT_EQ(said["cancelled"], json::array({waiting}));
  EXPECT_EQ(said["refused"], json::array({{{"id", "nosuchrunid"}, {"why", "unknown"}}}));
  EXPECT_TRUE(a.wait().exited_with(75));
  EXPECT_TRUE(onelane({"cancel"}).exited_with(64));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(SteerTest, AnIdGivenTwiceIsCancelledOnce) {
  Holder holder{sandbox_};
  Running a = queue("a");
  const std::string id = id_of("trace a");
  const Ended ended = onelane({"cancel", id, id});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.out, "cancelled run " + id + " `make trace a`\n");
  EXPECT_TRUE(a.wait().exited_with(75));
  const json unknown = json::parse(onelane({"cancel", "nosuch", "nosuch", "--json"}).out);
  EXPECT_EQ(unknown["refused"].size(), 1U);
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(SteerTest, ABumpedCallGoesFirst) {
  Holder holder{sandbox_};
  Running a = queue("a");
  Running b = queue("b");
  Running c = queue("c");
  const std::string id = id_of("trace c");
  const Ended ended = onelane({"bump", id});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.out, "run " + id + " `make trace c` is 1st of 3, priority 1\n");
  const json said = json::parse(onelane({"bump", id_of("trace b"), "--json"}).out);
  EXPECT_EQ(said["position"], 1);
  EXPECT_EQ(said["waiting"], 3);
  EXPECT_EQ(said["priority"], 2);
  // Being first already changes nothing.
  EXPECT_THAT(onelane({"bump", id_of("trace b")}).out, HasSubstr("1st of 3, priority 2\n"));
  EXPECT_TRUE(holder.release().exited_with(0));
  for (Running* waiter : {&a, &b, &c}) {
    EXPECT_TRUE(waiter->wait().exited_with(0));
  }
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "b", "c", "a"));
}

TEST_F(SteerTest, APriorityCanBeGiven) {
  Holder holder{sandbox_};
  Running a = queue("a");
  Running b = queue("b");
  const std::string id = id_of("trace a");
  EXPECT_THAT(onelane({"bump", id, "--priority", "-5"}).out, HasSubstr("2nd of 2, priority -5\n"));
  EXPECT_TRUE(onelane({"bump", id, "--priority", "101"}).exited_with(64));
  EXPECT_TRUE(onelane({"bump", "nosuchrunid"}).exited_with(1));
  EXPECT_TRUE(onelane({"bump", id_of("no such command")}).exited_with(1));  // the holder's
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_TRUE(b.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "b", "a"));
}

TEST_F(SteerTest, NoCallIsBumpedBeforeTheOneWhoseTurnItIs) {
  ASSERT_TRUE(onelane({"hold"}).exited_with(0));
  Running a = queue("a");
  ASSERT_TRUE(comes_to_state(0, "granted"));
  Running b = queue("b");
  Running c = queue("c");
  EXPECT_THAT(onelane({"bump", id_of("trace c")}).out, HasSubstr(" is 2nd of 3, "));
  EXPECT_THAT(onelane({"bump", id_of("trace a")}).out, HasSubstr(" is 1st of 3, priority 0"));
  EXPECT_TRUE(onelane({"release"}).exited_with(0));
  for (Running* waiter : {&a, &b, &c}) {
    EXPECT_TRUE(waiter->wait().exited_with(0));
  }
  EXPECT_THAT(sandbox_.texts(), ElementsAre("a", "c", "b"));
}

TEST_F(SteerTest, OnHoldTheHolderFinishesAndNothingStarts) {
  Holder holder{sandbox_};
  const std::string notices = sandbox_.fresh_path("notices");
  Running a = queue_with_notices("a", notices);
  ASSERT_TRUE(comes_to_contain(notices, "waiting for lane"));
  const Ended held = onelane({"hold", "--reason", "disk\033[2J swap", "--json"});
  EXPECT_TRUE(held.exited_with(0)) << held.err;
  EXPECT_EQ(json::parse(held.out)["on_hold"], true);
  EXPECT_EQ(json::parse(held.out)["uid"], ::getuid());
  EXPECT_TRUE(comes_to_contain(notices, "pytest trace holder"));
  EXPECT_TRUE(comes_to_contain(notices, " · on hold until `onelane release` by "));
  EXPECT_TRUE(comes_to_contain(notices, "(disk?[2J swap)"));
  EXPECT_TRUE(holder.release().exited_with(0));
  ASSERT_TRUE(comes_to_state(0, "granted"));
  const Ended again = onelane({"hold"});
  EXPECT_TRUE(again.exited_with(0));
  EXPECT_THAT(again.out, HasSubstr("(disk?[2J swap) already\n"));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out"));
  EXPECT_THAT(onelane({"release"}).out, HasSubstr("' is released\n"));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "a"));
}

TEST_F(SteerTest, AHoldNeedsNoLaneAndOutlivesItsShell) {
  ASSERT_TRUE(onelane({"hold"}).exited_with(0));
  const Ended refused =
      onelane({"run", "--no-wait", "--", sandbox_.tools() + "/make", "exit", "0"});
  EXPECT_TRUE(refused.exited_with(75));
  EXPECT_THAT(refused.err, HasSubstr("the lane is on hold by "));
  Running a = queue("a");
  a.signal(SIGKILL);
  (void)a.wait();
  Running b = queue("b");
  ASSERT_TRUE(comes_to_state(0, "granted"));
  EXPECT_EQ(json::parse(onelane({"release", "--json"}).out)["changed"], true);
  EXPECT_TRUE(b.wait().exited_with(0));
  const Ended nothing = onelane({"release"});
  EXPECT_TRUE(nothing.exited_with(0));
  EXPECT_THAT(nothing.out, HasSubstr("' is not on hold\n"));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("b"));
}

TEST_F(SteerTest, WithTwoLanesBothAreHeld) {
  sandbox_.set_environment("ONELANE_LANES", "split");
  ASSERT_TRUE(onelane({"hold"}).exited_with(0));
  const Words refused{"run", "--no-wait", "--", "true"};
  EXPECT_TRUE(onelane(refused).exited_with(75));
  Running git = sandbox_.start({"git", "commit", "-m", "trace"});
  EXPECT_TRUE(eventually([&] {
    const json status = status_of(sandbox_);
    return status.contains("git_lane") && status["git_lane"]["queue"].size() == 1;
  }));
  EXPECT_TRUE(git.is_running());
  git.signal(SIGTERM);
  (void)git.wait();
  EXPECT_TRUE(onelane({"release"}).exited_with(0));
  EXPECT_TRUE(onelane(refused).exited_with(0));
  EXPECT_TRUE(sandbox_.run({"git", "trace", "git"}).exited_with(0));
}

TEST_F(SteerTest, ADamagedLaneIsNotTakenForAFreeOne) {
  Holder holder{sandbox_};
  Running a = queue("a");
  const auto expect_said = [&] {
    for (const Words& words :
         {Words{"stop"}, Words{"stop", "--yes", "--all", "--json"}, Words{"stop", "nosuchrunid"}}) {
      const Ended ended = onelane(words);
      EXPECT_TRUE(ended.exited_with(1)) << ended.out;
      EXPECT_THAT(ended.err, HasSubstr("the lane file is damaged and does not say who runs: see "
                                       "`onelane doctor`\n"));
    }
    const Ended waited = onelane({"wait", "--timeout", "300ms"});
    EXPECT_TRUE(waited.exited_with(75)) << waited.out;
    EXPECT_THAT(waited.err, HasSubstr("the lane file is damaged and does not say who runs"));
    EXPECT_EQ(status_of(sandbox_)["holder_unknown"], true);
  };
  spoil_lane();
  expect_said();
  ASSERT_EQ(::truncate(lane_file().c_str(), 0), 0);
  expect_said();
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_EQ(onelane({"wait"}).out, "the lane is free\n");
}

TEST_F(SteerTest, TheVerbsWorkWhileTheHolderIsStopped) {
  Holder holder{sandbox_};
  Running a = queue("a");
  Running b = queue("b");
  ::kill(holder.pid(), SIGSTOP);
  EXPECT_TRUE(onelane({"bump", id_of("trace b")}).exited_with(0));
  EXPECT_TRUE(onelane({"cancel", id_of("trace a")}).exited_with(0));
  EXPECT_TRUE(onelane({"hold"}).exited_with(0));
  EXPECT_TRUE(onelane({"wait", "--timeout", "0"}).exited_with(75));
  EXPECT_TRUE(onelane({"release"}).exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(75));
  ::kill(holder.pid(), SIGCONT);
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(b.wait().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
