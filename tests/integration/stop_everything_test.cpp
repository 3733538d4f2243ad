#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/integration/killed_run.hpp"
#include "tests/integration/lane_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

const Words kToNull{"redirect", "0", "null", "redirect", "1", "null", "redirect", "2", "null"};

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

/// `onelane stop --everything`.
class StopEverythingTest : public testing::Test {
 protected:
  StopEverythingTest() {
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.set_environment("ONELANE_LINGER", "1");
    sandbox_.add_plain_tool("redis-server");
  }

  [[nodiscard]] Words words(const Words& options) const {
    return Words{onelane_of(sandbox_), "stop", "--everything"} + options;
  }
  Ended everything(const Words& options = {"--yes"}) { return sandbox_.run(words(options)); }

  /// A process that an ended run has left, prepared as `preparation` says.
  pid_t left_by_a_run(const std::string& name, const Words& preparation, const Words& after = {},
                      Start options = {}) {
    const Ended ended = sandbox_.run(Words{"make", "spawn"} + preparation +
                                         Words{"trace", name, "hold-until", gate_.path(), "end"} +
                                         after + Words{"await-trace", name},
                                     std::move(options));
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    return sandbox_.wait_for(name).pid;
  }
  /// The same on the keep list.
  pid_t listed_one() {
    return left_by_a_run("listed", {"setsid", "exec", "redis-server"}, {"end"});
  }
  Running start_service() {
    sandbox_.use_real("npm");
    sandbox_.add_plain_tool("probe");
    const std::string npm = sandbox_.tools() + "/npm";
    std::ofstream{npm} << "#!/bin/sh\nexec probe trace service hold-until " + gate_.path() + "\n";
    ::chmod(npm.c_str(), 0755);
    Running service = sandbox_.start({"npm", "run", "dev"});
    sandbox_.wait_for("service");
    return service;
  }

  Sandbox sandbox_{Mode::Shim};
  Gate gate_{sandbox_};
};

TEST_F(StopEverythingTest, WhereNothingLivesItSaysSo) {
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  const Ended ended = everything({});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.out, "nothing of this project lives\n");
}

TEST_F(StopEverythingTest, HolderWaiterServiceAndWhatWasLeftOrKeptAreGone) {
  const pid_t loose = left_by_a_run("loose", kToNull);
  const pid_t nohup = left_by_a_run("nohup", Words{"ignore", "HUP"} + kToNull);
  const pid_t detached = left_by_a_run("detached", Words{"setsid", "fork-away"} + kToNull);
  const pid_t listed = listed_one();
  Running service = start_service();
  WorkerRun run{sandbox_, {"setsid", "ignore", "TERM"}};
  Running waiting = sandbox_.start({"pytest", "trace", "started"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const Ended ended = everything({"--yes", "--json"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.out << ended.err;
  const json said = json::parse(ended.out);
  EXPECT_EQ(said["schema"], 1);
  EXPECT_EQ(said["ended"].size(), 2U);
  EXPECT_EQ(said["cancelled"], 1);
  EXPECT_EQ(said["processes"].size(), 4U) << said;
  EXPECT_TRUE(said["kept"].empty() && said["left"].empty() && said["running"].empty()) << said;
  EXPECT_EQ(said["empty"], true);
  EXPECT_TRUE(waiting.wait().exited_with(75));
  EXPECT_FALSE(service.wait().exited_with(0));
  EXPECT_FALSE(run.running().wait().exited_with(0));
  for (const pid_t pid : {loose, nohup, detached, listed, run.tool(), run.worker()}) {
    EXPECT_FALSE(is_alive(pid));
  }
  EXPECT_TRUE(sandbox_.texts("started").empty());
  EXPECT_TRUE(status_of(sandbox_)["kept"].empty());
  EXPECT_EQ(everything({}).out, "nothing of this project lives\n");
}

TEST_F(StopEverythingTest, SoIsWhatAKilledRunLeft) {
  WorkerRun run{sandbox_, {"ignore", "TERM"}};
  run.kill_both();
  const Ended ended = everything();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("(pid " + std::to_string(run.worker()) + ", run " + run.id() + ")\n"),
                    HasSubstr("\nnothing of this project is left\n")));
  EXPECT_FALSE(is_alive(run.worker()));
}

TEST_F(StopEverythingTest, TheQueueIsStoppedAndKeepsItsEntries) {
  const std::string onelane = onelane_of(sandbox_);
  for (const char* name : {"first", "second"}) {
    EXPECT_TRUE(
        sandbox_
            .run({onelane, "queue", "add", "--", "make", "trace", name, "hold-until", gate_.path()})
            .exited_with(0));
  }
  Running queue = sandbox_.start({onelane, "queue", "start"});
  sandbox_.wait_for("first");
  const Ended ended = everything();
  EXPECT_TRUE(ended.exited_with(0)) << ended.out << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("stopped the queue start\n"));
  EXPECT_FALSE(queue.wait().exited_with(0));
  EXPECT_TRUE(sandbox_.texts("second").empty());
  const json status = json::parse(sandbox_.run({onelane, "queue", "status", "--json"}).out);
  EXPECT_EQ(status["entries"][1]["state"], "queued") << status;
}

TEST_F(StopEverythingTest, ItAsksAndNamesWhatItWouldEnd) {
  const pid_t loose = left_by_a_run("loose", kToNull);
  WorkerRun run{sandbox_, {}};
  const Ended refused = everything({});
  EXPECT_TRUE(refused.exited_with(64));
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("run " + run.id()), HasSubstr("(pid " + std::to_string(loose)),
                    HasSubstr("add --yes to end 1 run, end 1 process that runs have left")));
  Terminal declined{words({}), sandbox_.environment(), sandbox_.project()};
  declined.expect("? [y/N] ");
  declined.send("n\n");
  EXPECT_EQ(WEXITSTATUS(declined.wait()), 1);
  EXPECT_TRUE(is_alive(loose) && is_alive(run.tool()));
  Terminal accepted{words({}), sandbox_.environment(), sandbox_.project()};
  accepted.expect("? [y/N] ");
  accepted.send("y\n");
  EXPECT_EQ(WEXITSTATUS(accepted.wait()), 0);
  EXPECT_FALSE(is_alive(loose) || is_alive(run.tool()));
  (void)run.running().wait();
}

TEST_F(StopEverythingTest, AnIdOrAllDoesNotGoWithIt) {
  EXPECT_TRUE(everything({"--all"}).exited_with(64));
  EXPECT_TRUE(everything({"abcdefghijk"}).exited_with(64));
}

TEST_F(StopEverythingTest, AnotherProjectsRunsAreNotTouchedEvenOnOneLane) {
  for (const char* scope : {"worktree", "user"}) {
    sandbox_.set_environment("ONELANE_SCOPE", scope);
    const std::string tag = scope;
    const std::string other = make_project(sandbox_, "other-" + tag);
    Start there;
    there.directory = other;
    const pid_t kept =
        left_by_a_run("kept-" + tag, Words{"setsid"} + kToNull, {}, std::move(there));
    const pid_t own = left_by_a_run("own-" + tag, Words{"setsid"} + kToNull);
    Holder holder{sandbox_, "holder-" + tag, other};
    const Ended ended = everything();
    EXPECT_TRUE(ended.exited_with(0)) << ended.out << ended.err;
    EXPECT_FALSE(is_alive(own));
    EXPECT_TRUE(is_alive(kept));
    EXPECT_TRUE(is_alive(holder.pid()));
    EXPECT_TRUE(holder.release().exited_with(0));
  }
  gate_.open();
}

// A group shares this lane: a record that one member writes must not make another signal a process.
TEST_F(StopEverythingTest, ARecordThatOthersMayWriteProvesNothing) {
  const pid_t scrubbed = left_by_a_run("scrubbed", Words{"setsid", "clear-environment"} + kToNull);
  const std::string lane = sandbox_.project() + "/.git/onelane/lane";
  ASSERT_EQ(::chmod(lane.c_str(), 0666), 0);
  const Ended unproven = everything();
  EXPECT_TRUE(unproven.exited_with(1)) << unproven.out;
  EXPECT_THAT(unproven.err, HasSubstr("(pid " + std::to_string(scrubbed) +
                                      "): only a record that others can write"));
  EXPECT_TRUE(is_alive(scrubbed));
  ASSERT_EQ(::chmod(lane.c_str(), 0600), 0);
  EXPECT_TRUE(everything().exited_with(0));
  EXPECT_FALSE(is_alive(scrubbed));
}

TEST_F(StopEverythingTest, FromInsideARunItIsNotEmpty) {
  const Ended ended = sandbox_.run(Words{"make", "call"} + words({"--yes"}) + Words{"end"});
  EXPECT_TRUE(ended.exited_with(1)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err,
              AllOf(HasSubstr("this call is a part of it"), HasSubstr("still there: run ")));
  EXPECT_THAT(ended.out, Not(HasSubstr("nothing of this project")));
}

TEST_F(StopEverythingTest, MakeKillAllDoesItAtOnceAfterInitWithTheSeedsLimits) {
  EXPECT_TRUE(
      sandbox_.run({onelane_of(sandbox_), "init", "--no-direnv", "--limits=seeds"}).exited_with(0));
  const pid_t loose = left_by_a_run("loose", kToNull);
  WorkerRun run{sandbox_, {}};
  sandbox_.use_real("make");
  std::ofstream{sandbox_.project() + "/Makefile"} << "kill-all:\n\t@" << onelane_of(sandbox_)
                                                  << " stop --everything --yes\n";
  const Ended ended = sandbox_.run({"make", "kill-all"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, HasSubstr("nothing of this project is left\n"));
  EXPECT_FALSE(is_alive(loose) || is_alive(run.tool()) || is_alive(run.worker()));
  (void)run.running().wait();
}

}  // namespace
}  // namespace onelane::test
