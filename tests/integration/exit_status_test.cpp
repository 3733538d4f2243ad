#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

TEST(ExitStatusTest, EachOfTheCodesIsTheTools) {
  Sandbox sandbox{Mode::Shim};
  for (int code = 0; code < 256; ++code) {
    const Ended ended = sandbox.run({"make", "exit", std::to_string(code)});
    EXPECT_TRUE(ended.exited_with(code)) << code << ": " << describe_status(ended.wait_status);
    EXPECT_EQ(ended.err, "");
  }
}

/// Every signal whose default action ends a process, real-time ones at both ends.
constexpr int kDeadly[] = {SIGHUP,  SIGINT,    SIGQUIT, SIGILL,  SIGTRAP,   SIGABRT, SIGBUS,
                           SIGFPE,  SIGKILL,   SIGUSR1, SIGSEGV, SIGUSR2,   SIGPIPE, SIGALRM,
                           SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO,
                           SIGPWR,  SIGSYS,    34,      64};

TEST(ExitStatusTest, DeathByASignalIsDeathByThatSignal) {
  Sandbox direct{Mode::Direct};
  Sandbox shim{Mode::Shim};
  for (const int signal : kDeadly) {
    const std::vector<std::string> argv{"make", "die", std::to_string(signal)};
    const Ended expected = direct.run(argv);
    ASSERT_TRUE(expected.died_of(signal));
    EXPECT_EQ(shim.run(argv).wait_status, expected.wait_status) << "signal " << signal;
  }
}

TEST(ExitStatusTest, ACallerThatIgnoresChildrenGetsTheCodeAtOnce) {
  Start options;
  options.before_exec = [] { ::signal(SIGCHLD, SIG_IGN); };
  Sandbox sandbox{Mode::Shim};
  EXPECT_TRUE(sandbox.run({"make", "exit", "42"}, options).exited_with(42));
  EXPECT_TRUE(sandbox.run({"make", "die", "TERM"}, options).died_of(SIGTERM));
}

TEST(ExitStatusTest, ACallerThatBlocksEverythingStillSeesTheDeath) {
  Start options;
  options.before_exec = [] {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
  };
  Sandbox sandbox{Mode::Shim};
  EXPECT_TRUE(sandbox.run({"make", "die", "TERM"}, options).died_of(SIGTERM));
  EXPECT_TRUE(sandbox.run({"make", "exit", "9"}, options).exited_with(9));
}

TEST(ExitStatusTest, AToolThatIsKilledFromOutsideIsReportedAsKilled) {
  Sandbox sandbox{Mode::Shim};
  Gate gate{sandbox};
  Running running = sandbox.start({"make", "trace", "ready", "hold-until", gate.path()});
  ::kill(sandbox.wait_for("ready").pid, SIGKILL);
  EXPECT_TRUE(running.wait().died_of(SIGKILL));
}

TEST(ExitStatusTest, ANestedDeathIsSeenThroughBothLevels) {
  Sandbox sandbox{Mode::Shim};
  EXPECT_TRUE(sandbox.run({"make", "call", "pytest", "die", "SEGV", "end"}).died_of(SIGSEGV));
  EXPECT_TRUE(sandbox.run({"make", "call", "pytest", "exit", "5", "end"}).exited_with(5));
}

}  // namespace
}  // namespace onelane::test
