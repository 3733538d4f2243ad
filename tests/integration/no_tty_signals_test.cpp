#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/sys/process.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using Words = std::vector<std::string>;

/// All signals that a tool can catch, except SIGCHLD, which a parent uses itself.
const std::vector<int> kCatchable{
    SIGHUP,  SIGINT,  SIGQUIT, SIGILL,   SIGTRAP, SIGABRT,   SIGBUS,  SIGFPE,   SIGUSR1, SIGSEGV,
    SIGUSR2, SIGPIPE, SIGALRM, SIGTERM,  SIGCONT, SIGTSTP,   SIGTTIN, SIGTTOU,  SIGURG,  SIGXCPU,
    SIGXFSZ, SIGPROF, SIGIO,   SIGWINCH, SIGPWR,  SIGVTALRM, SIGSYS,  SIGSTKFLT};

class NoTtyTest : public testing::TestWithParam<Mode> {
 protected:
  NoTtyTest() {
    sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
    apart_.new_session = true;
  }

  /// A tool that counts the signals it can catch until its gate opens, then exits with 7.
  [[nodiscard]] Words counting(const char* milliseconds_before) const {
    Words argv{"make"};
    for (const int signal : kCatchable) {
      argv.insert(argv.end(), {"catch", std::to_string(signal)});
    }
    argv.insert(argv.end(), {"sleep", milliseconds_before, "trace", "ready", "hold-until",
                             gate_.path(), "exit", "7"});
    return argv;
  }

  /// Sends each signal, waits until it has arrived, and expects it to arrive once.
  void send_each(pid_t target) {
    for (const int signal : kCatchable) {
      const std::size_t before = sandbox_.texts("sig ").size();
      ASSERT_EQ(::kill(target, signal), 0);
      ASSERT_TRUE(eventually([&] { return sandbox_.texts("sig ").size() > before; }))
          << "signal " << signal << " never came";
      EXPECT_FALSE(
          eventually([&] { return sandbox_.texts("sig ").size() > before + 1; }, milliseconds{25}))
          << "signal " << signal << " came twice";
    }
  }

  void expect_end(Running& running) {
    gate_.open();
    const Ended ended = running.wait();
    EXPECT_TRUE(ended.exited_with(7)) << describe_status(ended.wait_status);
    EXPECT_EQ(ended.err, "");
  }

  Sandbox sandbox_{GetParam()};
  Gate gate_{sandbox_};
  Start apart_;
};

INSTANTIATE_TEST_SUITE_P(Both, NoTtyTest, testing::Values(Mode::Direct, Mode::Shim),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(NoTtyTest, EachSignalToUsAloneReachesTheToolOnce) {
  Running running = sandbox_.start(counting("100"), apart_);
  sandbox_.wait_for("ready");
  send_each(running.pid());
  expect_end(running);
}

TEST_P(NoTtyTest, EachSignalToTheGroupReachesTheToolOnce) {
  Running running = sandbox_.start(counting("100"), apart_);
  sandbox_.wait_for("ready");
  send_each(-running.pid());
  expect_end(running);
}

TEST_P(NoTtyTest, SoDoTheyBeforeTheRunHasSettledDown) {
  for (const int sign : {1, -1}) {
    Gate gate{sandbox_};
    const std::size_t before = sandbox_.texts("sig TERM").size();
    const std::size_t ready = sandbox_.texts("ready").size();
    Running running = sandbox_.start(
        {"make", "catch", "TERM", "trace", "ready", "hold-until", gate.path(), "exit", "7"},
        apart_);
    sandbox_.wait_for("ready", ready + 1);
    ::kill(sign * running.pid(), SIGTERM);
    sandbox_.wait_for("sig TERM", before + 1);
    EXPECT_FALSE(eventually([&] { return sandbox_.texts("sig TERM").size() > before + 1; },
                            milliseconds{100}));
    gate.open();
    EXPECT_TRUE(running.wait().exited_with(7));
  }
}

TEST_P(NoTtyTest, TwoGroupSignalsInARowAreAtMostTwo) {
  Running running = sandbox_.start(counting("100"), apart_);
  sandbox_.wait_for("ready");
  // They merge when the first is still pending, so one is right as well. The pause between
  // them grows, so that the second comes at each step of dealing with the first.
  // Signals take turns, so that a late one is not counted with the next pair.
  const std::vector<std::pair<int, std::string>> turns{{SIGUSR1, "sig USR1"},
                                                       {SIGUSR2, "sig USR2"},
                                                       {SIGPROF, "sig PROF"},
                                                       {SIGIO, "sig IO"},
                                                       {SIGPWR, "sig PWR"}};
  for (int pause = 0; pause < 400; pause += 2) {
    const auto& [signal, text] = turns[static_cast<std::size_t>(pause / 2) % turns.size()];
    const std::size_t before = sandbox_.texts(text).size();
    ::kill(-running.pid(), signal);
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds{pause};
    while (std::chrono::steady_clock::now() < until) {
    }
    ::kill(-running.pid(), signal);
    ASSERT_TRUE(eventually([&] { return sandbox_.texts(text).size() > before; }));
    ASSERT_FALSE(
        eventually([&] { return sandbox_.texts(text).size() > before + 2; }, milliseconds{5}))
        << text << " with " << pause << " us between them";
  }
  expect_end(running);
}

TEST_P(NoTtyTest, UnderNohupAHangUpReachesNoProcess) {
  Words argv{"nohup", "make",       "sleep",      "100",  "trace",
             "ready", "hold-until", gate_.path(), "exit", "7"};
  Running running = sandbox_.start(argv, apart_);
  sandbox_.wait_for("ready");
  ::kill(running.pid(), SIGHUP);
  ::kill(-running.pid(), SIGHUP);
  expect_end(running);
}

TEST_P(NoTtyTest, UnderSetsidTheStatusComesBack) {
  EXPECT_TRUE(sandbox_.run({"setsid", "--wait", "make", "exit", "9"}).exited_with(9));
}

TEST_P(NoTtyTest, TimeoutEndsAToolThatObeys) {
  const Ended ended =
      sandbox_.run({"timeout", "-k", "5", "0.3", "make", "hold-until", gate_.path()});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_LT(ended.took.count(), 4'000);
  EXPECT_TRUE(sandbox_.wait_until_empty(milliseconds{3'000}).empty());
}

TEST_P(NoTtyTest, TimeoutKillsAToolThatDoesNot) {
  const Ended ended = sandbox_.run(
      {"timeout", "-k", "0.3", "0.3", "make", "ignore", "TERM", "hold-until", gate_.path()});
  EXPECT_TRUE(ended.died_of(SIGKILL) || ended.exited_with(137))
      << describe_status(ended.wait_status) << ended.err;
  EXPECT_TRUE(sandbox_.wait_until_empty(milliseconds{3'000}).empty());
}

TEST_P(NoTtyTest, ACallerThatKillsItsGroupLeavesNothing) {
  Running running =
      sandbox_.start({"make", "spawn", "trace", "worker", "hold-until", gate_.path(), "end",
                      "await-trace", "worker", "trace", "ready", "hold-until", gate_.path()},
                     apart_);
  sandbox_.wait_for("ready");
  ::kill(-running.pid(), SIGKILL);
  EXPECT_TRUE(running.wait().died_of(SIGKILL));
  EXPECT_TRUE(sandbox_.wait_until_empty(milliseconds{3'000}).empty());
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
}

TEST_P(NoTtyTest, AStoppedToolIsAStoppedCommandAndGoesOn) {
  Running running = sandbox_.start(
      {"make", "sleep", "100", "trace", "ready", "hold-until", gate_.path(), "exit", "7"});
  const auto state_of = [](pid_t pid) { return sys::read_stat(pid).value().state; };
  const pid_t tool = sandbox_.wait_for("ready").pid;
  ::kill(tool, SIGSTOP);
  EXPECT_TRUE(eventually([&] { return state_of(running.pid()) == 'T'; }));
  EXPECT_EQ(state_of(tool), 'T');
  running.signal(SIGCONT);
  EXPECT_TRUE(eventually([&] { return state_of(tool) != 'T' && state_of(running.pid()) != 'T'; }));
  expect_end(running);
}

TEST_P(NoTtyTest, AToolThatStopsItsGroupStopsItOnceEachTime) {
  constexpr int kStops = 100;
  Words argv{"make", "catch", "CONT", "sleep", "100"};
  for (int stop = 0; stop < kStops; ++stop) {
    argv.insert(argv.end(), {"stop-group", "TSTP", "sleep", "3"});
  }
  argv.insert(argv.end(), {"exit", "7"});
  Start own_group;
  own_group.before_exec = [] { ::setpgid(0, 0); };
  const pid_t leader = sandbox_.start(argv, own_group).release();
  int status = 0;
  int stops = 0;
  while (::waitpid(leader, &status, WUNTRACED) == leader && WIFSTOPPED(status)) {
    ++stops;
    ::kill(-leader, SIGCONT);
  }
  EXPECT_EQ(WEXITSTATUS(status), 7) << describe_status(status);
  EXPECT_EQ(stops, kStops);
  EXPECT_EQ(sandbox_.texts("sig CONT").size(), static_cast<std::size_t>(kStops));
}

TEST_P(NoTtyTest, AnOrphanedGroupIsNeverFrozen) {
  Running running =
      sandbox_.start({"make", "sleep", "100", "stop-self", "TSTP", "stop-group", "TSTP", "trace",
                      "ready", "hold-until", gate_.path(), "exit", "7"},
                     apart_);
  sandbox_.wait_for("ready");
  expect_end(running);
}

}  // namespace
}  // namespace onelane::test
