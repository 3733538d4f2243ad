#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/pty.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

TEST(FakeToolTest, EndsWithTheCodeItWasTold) {
  Sandbox sandbox{Mode::Direct};
  EXPECT_TRUE(sandbox.run({"make", "exit", "3"}).exited_with(3));
  EXPECT_TRUE(sandbox.run({"make", "die", "TERM"}).died_of(SIGTERM));
}

TEST(FakeToolTest, AnUnknownVerbIsAUsageError) {
  Sandbox sandbox{Mode::Direct};
  EXPECT_TRUE(sandbox.run({"make", "no-such-verb"}).exited_with(64));
}

TEST(FakeToolTest, CountsEachSignalItCatches) {
  Sandbox sandbox{Mode::Direct};
  Gate gate{sandbox};
  Running tool = sandbox.start(
      {"make", "catch", "INT", "trace", "ready", "hold-until", gate.path(), "exit", "7"});
  sandbox.wait_for("ready");
  tool.signal(SIGINT);
  sandbox.wait_for("sig INT");
  tool.signal(SIGINT);
  sandbox.wait_for("sig INT", 2);
  gate.open();
  EXPECT_TRUE(tool.wait().exited_with(7));
}

TEST(FakeToolTest, TheWitnessLockSeesAnOverlap) {
  Sandbox sandbox{Mode::Direct};
  Gate gate{sandbox};
  const std::string witness = sandbox.fresh_path("witness");
  Running first =
      sandbox.start({"make", "lock", witness, "trace", "in", "hold-until", gate.path()});
  sandbox.wait_for("in");
  EXPECT_TRUE(sandbox.run({"pytest", "lock", witness}).exited_with(99));
  EXPECT_EQ(sandbox.texts("OVERLAP").size(), 1U);
  gate.open();
  EXPECT_TRUE(first.wait().exited_with(0));
}

TEST(FakeToolTest, CallsAreNestedAndSpawnsAreNotWaitedFor) {
  Sandbox sandbox{Mode::Direct};
  Gate gate{sandbox};
  const Ended ended =
      sandbox.run({"make",       "spawn",     "redirect", "1",    "null", "redirect", "2",   "null",
                   "hold-until", gate.path(), "trace",    "late", "end",  "call",     "git", "call",
                   "make",       "exit",      "5",        "end",  "end",  "exit",     "1"});
  EXPECT_TRUE(ended.exited_with(5));
  gate.open();
  sandbox.wait_for("late");
}

TEST(SandboxTest, FindsADaemonThatShedItsEnvironment) {
  Sandbox sandbox{Mode::Direct};
  Gate gate{sandbox};
  (void)sandbox.run({"make", "spawn", "setsid", "fork-away", "clear-environment", "trace", "up",
                     "hold-until", gate.path(), "end"});
  const Event up = sandbox.wait_for("up");
  EXPECT_EQ(sandbox.leftovers(), std::vector<pid_t>{up.pid});
  EXPECT_TRUE(sandbox.wait_until_empty(std::chrono::milliseconds{1}, {up.pid}).empty());
  gate.open();
  EXPECT_TRUE(sandbox.wait_until_empty(kDeadline).empty());
}

TEST(SandboxTest, CapturesBothStreamsByteForByte) {
  Sandbox sandbox{Mode::Direct};
  const Ended ended = sandbox.run({"make", "out-bytes", "300000", "err", "oops"});
  EXPECT_EQ(ended.out.size(), 300'000U);
  EXPECT_EQ(ended.err, "oops\n");
}

class ShellTest : public testing::TestWithParam<Shell::Kind> {};

TEST_P(ShellTest, RunsJobsAndReportsTheirStatus) {
  Sandbox sandbox{Mode::Direct};
  Gate gate{sandbox};
  Shell shell{GetParam(), sandbox.environment(), sandbox.project()};
  EXPECT_TRUE(shell.is_in_foreground());
  shell.type("make trace ready hold-until " + gate.path() + " exit 9");
  const Event ready = sandbox.wait_for("ready");
  EXPECT_EQ(shell.terminal().foreground(), ready.pid);
  shell.terminal().suspend();
  shell.wait_for_prompt();
  EXPECT_TRUE(shell.is_in_foreground());
  shell.type("fg");
  EXPECT_TRUE(eventually([&] { return !shell.is_in_foreground(); }));
  gate.open();
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 9);
}

TEST_P(ShellTest, ASignalFromTheTerminalEndsTheJob) {
  Sandbox sandbox{Mode::Direct};
  Gate gate{sandbox};
  Shell shell{GetParam(), sandbox.environment(), sandbox.project()};
  shell.type("make trace ready hold-until " + gate.path());
  sandbox.wait_for("ready");
  shell.terminal().interrupt();
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 128 + SIGINT);
}

INSTANTIATE_TEST_SUITE_P(All, ShellTest,
                         testing::Values(Shell::Kind::Bash, Shell::Kind::Dash, Shell::Kind::Zsh),
                         [](const auto& each) { return name_of(each.param); });

TEST(TerminalTest, TheReaderOfTheTerminalGetsTheLine) {
  Sandbox sandbox{Mode::Direct};
  Terminal terminal{{"make", "trace", "ready", "read-tty", "exit", "2"},
                    sandbox.environment(),
                    sandbox.project()};
  sandbox.wait_for("ready");
  terminal.send("hello\n");
  EXPECT_EQ(describe_status(terminal.wait()), "exit 2");
  EXPECT_EQ(sandbox.texts("read "), std::vector<std::string>{"read hello"});
}

}  // namespace
}  // namespace onelane::test
