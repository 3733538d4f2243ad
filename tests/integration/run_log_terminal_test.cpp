#include <signal.h>
#include <sys/wait.h>

#include "tests/integration/run_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using testing::HasSubstr;

/// `onelane run --log FILE` on a terminal.
class RunLogTerminalTest : public RunScene {
 protected:
  [[nodiscard]] std::string log_command(const std::string& command) const {
    return onelane_of(sandbox_) + " run --log " + path("log") + " -- " + command;
  }
};

TEST_F(RunLogTerminalTest, TheToolHasATerminalOfItsOwnAndItsSize) {
  Terminal terminal{run_words({"--log", path("log"), "--", "sh", "-c",
                               "test -t 0 && test -t 1 && test -t 2 && echo is a tty; stty size; "
                               "read line; echo \"got $line\"; stty size; exit 6"}),
                    sandbox_.environment(), sandbox_.project()};
  terminal.expect("is a tty");
  terminal.expect("24 80");
  terminal.resize(30, 90);
  terminal.send("some words\n");
  terminal.expect("got some words");
  terminal.expect("30 90");
  const int status = terminal.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 6) << describe_status(status);
  EXPECT_THAT(contents_of(path("log")), HasSubstr("is a tty"));
  EXPECT_THAT(contents_of(path("log")), HasSubstr(": exit 6"));
}

TEST_F(RunLogTerminalTest, CtrlCReachesTheToolThroughIt) {
  Terminal terminal{run_words({"--log", path("log"), "--", tool(), "catch", "INT", "trace", "ready",
                               "wait-signal", "INT", "trace", "told", "exit", "5"}),
                    sandbox_.environment(), sandbox_.project()};
  sandbox_.wait_for("ready");
  terminal.interrupt();
  const int status = terminal.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5) << describe_status(status);
  EXPECT_EQ(sandbox_.texts("told").size(), 1U);
}

TEST_F(RunLogTerminalTest, TheTerminalIsGivenBackAsItWas) {
  Shell shell{Shell::Kind::Bash, sandbox_.environment(), sandbox_.project()};
  const std::string before = shell.command("stty -a");
  EXPECT_THAT(shell.command(log_command("echo seen")), HasSubstr("seen"));
  EXPECT_EQ(shell.command("stty -a"), before);
  shell.type(log_command(tool() + " trace ready sleep 100000"));
  sandbox_.wait_for("ready");
  shell.terminal().interrupt();
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 128 + SIGINT);
  EXPECT_EQ(shell.command("stty -a"), before);
}

TEST_F(RunLogTerminalTest, CtrlZIsRefusedAndWhatStopsItselfIsContinued) {
  Shell shell{Shell::Kind::Bash, sandbox_.environment(), sandbox_.project()};
  const std::string before = shell.command("stty -a");
  Gate gate{sandbox_};
  // A helper in the same group tells when the key has arrived.
  shell.type(log_command(tool() + " spawn catch TSTP trace up hold-until " + gate.path() +
                         " end await-trace up trace ready hold-until " + gate.path() +
                         " trace through stop-self STOP trace on exit 3"));
  sandbox_.wait_for("ready");
  shell.terminal().suspend();
  sandbox_.wait_for("sig TSTP");
  gate.open();
  sandbox_.wait_for("through");
  shell.wait_for_prompt();  // of the shell whose job has stopped
  EXPECT_EQ(shell.command("stty -a"), before);
  shell.type("fg");
  sandbox_.wait_for("on");
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 3);
  EXPECT_EQ(shell.command("stty -a"), before);
}

TEST_F(RunLogTerminalTest, AHangUpEndsIt) {
  Terminal terminal{
      run_words({"--log", path("log"), "--", tool(), "trace", "ready", "sleep", "100000"}),
      sandbox_.environment(), sandbox_.project()};
  const pid_t tool_pid = sandbox_.wait_for("ready").pid;
  terminal.hang_up();
  (void)terminal.wait();
  EXPECT_TRUE(eventually([&] { return !is_alive(tool_pid); }));
}

TEST_F(RunLogTerminalTest, LateOutputIsNotLost) {
  Terminal terminal{run_words({"--log", path("log"), "--", "sh", "-c", "seq 1 20000"}),
                    sandbox_.environment(), sandbox_.project()};
  terminal.expect("\n20000\r\n");
  (void)terminal.wait();
  EXPECT_THAT(contents_of(path("log")), HasSubstr("\n20000\r\n"));
}

}  // namespace
}  // namespace onelane::test
