#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

using Words = std::vector<std::string>;

/// A call below the holder must never wait for it: it would wait forever.
class NestedTest : public testing::Test {
 protected:
  /// `make`, from which `words` are called.
  static Words from_make(const Words& words) {
    Words out{"make", "trace", "outer", "call"};
    out.insert(out.end(), words.begin(), words.end());
    out.insert(out.end(), {"end", "trace", "outer ends"});
    return out;
  }
  /// A make that traces `inner`, wherever the environment does not say where to.
  Words inner() { return {"make", "trace-file", sandbox_.root() + "/trace", "trace", "inner"}; }
  Words in_new_namespace(Words before) {
    const Words words = inner();
    before.insert(before.end(), {"unshare", "-pf", "--mount-proc"});
    before.insert(before.end(), words.begin(), words.end());
    return before;
  }
  bool may_unshare() {
    return sandbox_.run({"unshare", "-pf", "--mount-proc", "true"}).exited_with(0);
  }
  void write_executable(const std::string& path, const std::string& text) {
    std::ofstream{path} << text;
    ::chmod(path.c_str(), 0755);
  }
  void passes_at_once(const Words& call) {
    const Ended ended = sandbox_.run(call);
    EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_EQ(ended.err, "");
    EXPECT_THAT(sandbox_.texts(), ElementsAre("outer", "inner", "outer ends"));
  }

  Sandbox sandbox_{Mode::Shim};
};

constexpr const char* kMayNot = "unshare -pf --mount-proc is not permitted here";

/// make commit → git commit → pre-commit → npm → pytest → make check, the hook as given.
class ChainTest : public NestedTest, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(Hooks, ChainTest, testing::Values("", "env -i PATH=\"$PATH\" "),
                         [](const auto& each) {
                           return *each.param == '\0' ? "Plain" : "WithAnEmptyEnvironment";
                         });

TEST_P(ChainTest, FromMakeThroughGitAHookNpmAndPytestBackToMake) {
  sandbox_.use_real("make");
  sandbox_.use_real("git");
  sandbox_.add_plain_tool("probe");
  const std::string trace = "trace-file " + sandbox_.root() + "/trace ";
  std::ofstream{sandbox_.project() + "/Makefile"}
      << "commit:\n\tgit commit --quiet --allow-empty -m one\ncheck:\n\t@probe " << trace
      << "trace in-make\n";
  write_executable(sandbox_.project() + "/.git/hooks/pre-commit",
                   std::string{"#!/bin/sh\n"} + GetParam() + "npm " + trace +
                       "trace in-npm call pytest " + trace +
                       "trace in-pytest call make check end end\n");
  const Ended ended = sandbox_.run({"make", "commit"});
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, Not(HasSubstr("onelane: ")));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("in-npm", "in-pytest", "in-make"));
  EXPECT_EQ(sandbox_.run({"/usr/bin/git", "log", "--format=%s"}).out, "one\n");
}

TEST_F(NestedTest, WithAnEmptyEnvironmentItIsKnownByItsAncestors) {
  passes_at_once(from_make(scrubbed(sandbox_, inner())));
}

TEST_F(NestedTest, InASessionOfItsOwnWithACleanEnvironmentItIsKnownByItsAncestors) {
  Words words = scrubbed(sandbox_, {"setsid", "--wait"});
  const Words call = inner();
  words.insert(words.end(), call.begin(), call.end());
  passes_at_once(from_make(words));
}

TEST_F(NestedTest, InANewPidNamespaceTheTokenProvesIt) {
  if (!may_unshare()) {
    GTEST_SKIP() << kMayNot;
  }
  passes_at_once(from_make(in_new_namespace({})));
}

TEST_F(NestedTest, InANewPidNamespaceWithoutTheTokenItSaysAtOnceWhichVariableIsMissing) {
  if (!may_unshare()) {
    GTEST_SKIP() << kMayNot;
  }
  sandbox_.set_environment("ONELANE_LINGER", "0.1");
  const std::string messages = sandbox_.fresh_path("messages");
  Words call = from_make(in_new_namespace({"env", "-u", "ONELANE_HELD"}));
  call.insert(call.begin() + 1, {"redirect", "2", messages});
  Running running = sandbox_.start(call);
  EXPECT_TRUE(comes_to_contain(
      messages,
      "onelane: the holder of lane 'project' is in another PID namespace; if this call "
      "was made by it, pass its ONELANE_HELD variable into the container\n"));
  EXPECT_TRUE(running.is_running());
  EXPECT_THAT(sandbox_.texts(), ElementsAre("outer"));
  running.signal(SIGTERM);
  EXPECT_TRUE(running.wait().died_of(SIGTERM));
}

TEST_F(NestedTest, InANewPidNamespaceWithoutTheTokenItGivesUpAfterNsWait) {
  if (!may_unshare()) {
    GTEST_SKIP() << kMayNot;
  }
  sandbox_.set_environment("ONELANE_NS_WAIT", "1");
  const Ended ended = sandbox_.run(from_make(in_new_namespace({"env", "-u", "ONELANE_HELD"})));
  EXPECT_TRUE(ended.exited_with(75)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err,
              HasSubstr("onelane: the holder is in another PID namespace and has not ended for "));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("outer"));
}

TEST_F(NestedTest, OnDeadlockRunRunsItWithoutTheTokenAfterNsWait) {
  if (!may_unshare()) {
    GTEST_SKIP() << kMayNot;
  }
  sandbox_.set_environment("ONELANE_NS_WAIT", "1");
  sandbox_.set_environment("ONELANE_ON_DEADLOCK", "run");
  const Ended ended = sandbox_.run(from_make(in_new_namespace({"env", "-u", "ONELANE_HELD"})));
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("; running without the lane (ON_DEADLOCK=run)\n"));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("outer", "inner", "outer ends"));
}

/// Calls that must wait although they carry traces of a run.
class NotNestedTest : public NestedTest {
 protected:
  std::string token_of_an_ended_run() {
    std::string token =
        sandbox_.run({"make", "exec", "sh", "-c", "printf %s $ONELANE_HELD", "end"}).out;
    EXPECT_NE(token, "");
    return token;
  }
  /// Queues behind a holder and starts when that has ended.
  void waits_its_turn(const Words& call) {
    Holder holder{sandbox_};
    Running waiting = sandbox_.start(call);
    ASSERT_TRUE(comes_to_queue(sandbox_, 1));
    EXPECT_THAT(sandbox_.texts("inner"), IsEmpty());
    EXPECT_TRUE(holder.release().exited_with(0));
    EXPECT_TRUE(waiting.wait().exited_with(0));
    EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "inner"));
  }
};

TEST_F(NotNestedTest, ADaemonFromARunThatHasEndedWaitsItsTurn) {
  Gate gate{sandbox_};
  const Ended first = sandbox_.run(
      {"make",   "spawn",      "setsid",      "redirect", "0",    "null",         "redirect",
       "1",      "null",       "redirect",    "2",        "null", "close-others", "trace",
       "daemon", "hold-until", gate.path(),   "call",     "make", "trace",        "inner",
       "end",    "end",        "await-trace", "daemon"});
  EXPECT_TRUE(first.exited_with(0)) << first.err;
  EXPECT_TRUE(is_alive(sandbox_.wait_for("daemon").pid)) << first.err;
  Holder holder{sandbox_};
  gate.open();
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_THAT(sandbox_.texts("inner"), IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  sandbox_.wait_for("inner");
  EXPECT_THAT(sandbox_.texts(), ElementsAre("daemon", "holder in", "holder out", "inner"));
}

TEST_F(NotNestedTest, TheTokenOfAnEndedRunProvesNothing) {
  sandbox_.set_environment("ONELANE_HELD", token_of_an_ended_run());
  waits_its_turn(inner());
}

TEST_F(NotNestedTest, TheTokenOfAnEndedRunProvesNothingInANewPidNamespace) {
  if (!may_unshare()) {
    GTEST_SKIP() << kMayNot;
  }
  sandbox_.set_environment("ONELANE_HELD", token_of_an_ended_run());
  waits_its_turn(in_new_namespace({}));
}

TEST_F(NotNestedTest, TheLiveTokenProvesNothingBesideTheHolder) {
  // As in a tmux server that a run started: its windows are not below the run.
  Gate gate{sandbox_};
  const std::string token = sandbox_.fresh_path("token");
  Running holder =
      sandbox_.start({"make", "call", "sh", "-c", "printf %s $ONELANE_HELD >" + token, "end",
                      "trace", "holder in", "hold-until", gate.path(), "trace", "holder out"});
  sandbox_.wait_for("holder in");
  sandbox_.set_environment("ONELANE_HELD", contents_of(token));
  Running waiting = sandbox_.start(inner());
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  gate.open();
  EXPECT_TRUE(waiting.wait().exited_with(0));
  EXPECT_TRUE(holder.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "inner"));
}

}  // namespace
}  // namespace onelane::test
