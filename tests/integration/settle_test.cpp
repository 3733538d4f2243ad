#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/pty.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::ContainsRegex;
using testing::HasSubstr;
using Words = std::vector<std::string>;

/// LINGER is one second here: a kept process must not cost that time, an ended one must.
constexpr milliseconds kNoDelay{900};
constexpr milliseconds kLinger{1'000};

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

std::ptrdiff_t lines_of(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

class SettleTest : public testing::Test {
 protected:
  SettleTest() {
    sandbox_.set_environment("ONELANE_LINGER", "1");
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    sandbox_.add_plain_tool("server");
  }

  /// A `make` that spawns a process, which does `preparation`, and then ends with 3.
  [[nodiscard]] Words make_with(const Words& preparation) const {
    return Words{"make", "spawn"} + preparation +
           Words{"trace", "up",          "hold-until", gate_.path(), "trace", "late",
                 "end",   "await-trace", "up",         "exit",       "3"};
  }

  void expect_kept(const Ended& ended) {
    EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status);
    EXPECT_LT(ended.took, kNoDelay);
    EXPECT_TRUE(is_alive(sandbox_.wait_for("up").pid)) << ended.err;
    gate_.open();
    sandbox_.wait_for("late");
  }

  void expect_ended(const Ended& ended) {
    EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status);
    EXPECT_GE(ended.took, kLinger);
    EXPECT_LT(ended.took, kLinger + milliseconds{2'500});
    EXPECT_FALSE(is_alive(sandbox_.wait_for("up").pid));
  }

  Sandbox sandbox_{Mode::Shim};
  Gate gate_{sandbox_};
};

// --- Kept: left running on purpose --------------------------------------------

TEST_F(SettleTest, ANohupServerLivesOnAndIsNamedOnce) {
  const Ended ended =
      sandbox_.run({"make", "call", "sh", "-c",
                    "nohup server trace up hold-until " + gate_.path() + " trace late > log 2>&1 &",
                    "end", "await-trace", "up", "exit", "3"});
  expect_kept(ended);
  EXPECT_EQ(lines_of(ended.err), 1) << ended.err;
  EXPECT_THAT(ended.err, ContainsRegex("^onelane: .*server"));
}

TEST_F(SettleTest, NothingButALogIsNamedWithTheWordsThatWouldKeepIt) {
  for (const std::string word : {"", "nohup ", "setsid "}) {
    const std::string up = "up after '" + word + "'";
    const Ended ended = sandbox_.run({"make", "call", "sh", "-c",
                                      word + "server trace \"" + up + "\" hold-until " +
                                          gate_.path() + " > log 2>&1 < /dev/null &",
                                      "end", "await-trace", up});
    EXPECT_TRUE(ended.exited_with(0));
    EXPECT_LT(ended.took, kNoDelay);
    EXPECT_TRUE(is_alive(sandbox_.wait_for(up).pid)) << ended.err;
    EXPECT_EQ(lines_of(ended.err), 1) << ended.err;
    EXPECT_THAT(ended.err, ContainsRegex("^onelane: .* left running: .*server"));
    const auto has_words = ContainsRegex(
        "; `onelane stop [a-z0-9]+` ends it; to keep it, start it with nohup or setsid, or list it "
        "in KEEP\n$");
    if (word.empty()) {
      EXPECT_THAT(ended.err, has_words);
    } else {
      EXPECT_THAT(ended.err, testing::Not(HasSubstr("to keep it")));
    }
  }
  gate_.open();
}

TEST_F(SettleTest, ListedInKeepItIsNotNamedAtAll) {
  sandbox_.set_environment("ONELANE_KEEP", "server");
  const Ended ended = sandbox_.run({"make", "call", "sh", "-c",
                                    "server trace up hold-until " + gate_.path() + " > log 2>&1 &",
                                    "end", "await-trace", "up", "exit", "3"});
  EXPECT_TRUE(ended.exited_with(3));
  EXPECT_EQ(ended.err, "");
  EXPECT_TRUE(is_alive(sandbox_.wait_for("up").pid));
  gate_.open();
}

/// The ways in which a daemon detaches itself.
struct Daemon {
  const char* name;
  Words preparation;
};
const Words kToNull{"redirect", "0", "null", "redirect", "1", "null", "redirect", "2", "null"};
const Words kClosed{"redirect", "0",        "closed", "redirect", "1",
                    "closed",   "redirect", "2",      "closed"};
const Words kTwice{"fork-away", "setsid", "fork-away"};

class DaemonTest : public SettleTest, public testing::WithParamInterface<Daemon> {};

TEST_P(DaemonTest, LivesOnAtNoCost) {
  expect_kept(sandbox_.run(make_with(GetParam().preparation)));
}

INSTANTIATE_TEST_SUITE_P(
    Each, DaemonTest,
    testing::Values(
        Daemon{"ForkedTwiceToNull", kTwice + kToNull},
        Daemon{"ForkedTwiceClosed", kTwice + kClosed}, Daemon{"ToNullWithoutASession", kToNull},
        Daemon{"ToNullWithoutEnvironment", kTwice + kToNull + Words{"clear-environment"}},
        Daemon{"IgnoringHangUpOnThePipe", {"ignore", "HUP"}},
        Daemon{"InTheMiddleOfItsForks",
               Words{"setsid", "sleep", "150", "fork-away", "sleep", "150"} + kToNull},
        Daemon{"WithALogOfItsOwn",
               {"redirect", "0", "null", "redirect", "1", "own.log", "redirect", "2", "own.log"}}),
    [](const auto& each) { return each.param.name; });

TEST_F(SettleTest, AListedServerMayHoldTheRunsOutputAndIsNotNamed) {
  sandbox_.add_plain_tool("postgres");
  const Ended ended = sandbox_.run(
      {"make", "call", "sh", "-c", "postgres trace up hold-until " + gate_.path() + " trace late &",
       "end", "await-trace", "up", "exit", "3"});
  expect_kept(ended);
  EXPECT_EQ(ended.err, "");
}

TEST_F(SettleTest, WaitAllWaitsForADaemonToo) {
  sandbox_.set_environment("ONELANE_WAIT", "all");
  Running running = sandbox_.start(make_with(kTwice + kToNull));
  sandbox_.wait_for("up");
  EXPECT_FALSE(eventually([&] { return !running.is_running(); }, milliseconds{1'500}));
  gate_.open();
  EXPECT_TRUE(running.wait().exited_with(3));
}

// --- Stragglers: ended --------------------------------------------------------

TEST_F(SettleTest, AWorkerOnTheRunsPipeIsEndedAtLingerWithANotice) {
  const Ended ended = sandbox_.run(make_with({}));
  expect_ended(ended);
  EXPECT_THAT(ended.err, ContainsRegex("^onelane: [^\n]*behind"));
  EXPECT_LE(lines_of(ended.err), 2) << ended.err;  // one at 1 s, one at the end
}

TEST_F(SettleTest, ANewSessionDoesNotHelpAWorkerOnThePipe) {
  expect_ended(sandbox_.run(make_with(kTwice)));
}

TEST_F(SettleTest, NorDoesAnEmptyEnvironment) {
  expect_ended(sandbox_.run(make_with(kTwice + Words{"clear-environment"})));
}

TEST_F(SettleTest, AWorkerOnASocketPairIsEnded) {
  Start options;
  options.standard_output = Stream::SocketPair;
  options.standard_error = Stream::SocketPair;
  expect_ended(sandbox_.run(make_with({}), options));
}

TEST_F(SettleTest, AWorkerOnTheTerminalIsEnded) {
  Shell shell{Shell::Kind::Bash, sandbox_.environment(), sandbox_.project()};
  std::string line;
  for (const std::string& word : make_with({})) {
    line += word + " ";
  }
  EXPECT_THAT(shell.command(line), HasSubstr("onelane: "));
  EXPECT_EQ(shell.last_status(), 3);
  EXPECT_FALSE(is_alive(sandbox_.wait_for("up").pid));
}

TEST_F(SettleTest, AWorkerThatIgnoresTermIsKilledAfterKillTimeout) {
  expect_ended(sandbox_.run(make_with({"ignore", "TERM"})));
}

TEST_F(SettleTest, AWorkerThatEndsInTimeIsWaitedForInSilence) {
  const Ended ended = sandbox_.run({"make", "spawn", "trace", "up", "sleep", "200", "trace",
                                    "worker-done", "end", "await-trace", "up", "exit", "3"});
  EXPECT_TRUE(ended.exited_with(3));
  EXPECT_EQ(sandbox_.texts("worker-done").size(), 1U);
  EXPECT_EQ(ended.err, "");
}

TEST_F(SettleTest, NohupAroundTheWholeRunKeepsNothing) {
  Words argv{"bash", "-c", "exec nohup \"$@\" > log 2>&1 < /dev/null", "bash"};
  expect_ended(sandbox_.run(argv + make_with({})));
}

TEST_F(SettleTest, ALogAroundTheWholeRunKeepsNothing) {
  Words argv{"bash", "-c", "exec \"$@\" > log 2>&1 < /dev/null", "bash"};
  expect_ended(sandbox_.run(argv + make_with({})));
}

TEST_F(SettleTest, TheLaneIsHeldUntilTheLastStragglerHasEnded) {
  const std::string witness = sandbox_.fresh_path("witness");
  Running first = sandbox_.start(make_with({"lock", witness}));
  sandbox_.wait_for("up");
  EXPECT_TRUE(sandbox_.run({"pytest", "lock", witness, "exit", "0"}).exited_with(0));
  EXPECT_TRUE(first.wait().exited_with(3));
}

TEST_F(SettleTest, TermWhileLingeringEndsTheStragglersAtOnce) {
  sandbox_.set_environment("ONELANE_LINGER", "30");
  Running running = sandbox_.start(Words{"make", "trace", "tool"} +
                                   Words{"spawn", "trace", "up", "hold-until", gate_.path(), "end",
                                         "await-trace", "up", "exit", "3"});
  const pid_t tool = sandbox_.wait_for("tool").pid;
  ASSERT_TRUE(eventually([&] { return !is_alive(tool); }));
  running.signal(SIGTERM);
  const Ended ended = running.wait();
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status);
  EXPECT_FALSE(is_alive(sandbox_.wait_for("up").pid));
}

}  // namespace
}  // namespace onelane::test
