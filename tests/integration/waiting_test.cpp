#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/lane_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using std::to_string;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

using Words = std::vector<std::string>;

/// What a waiting call shows, and how it can be ended.
class WaitingTest : public testing::Test {
 protected:
  /// `make` with its standard error in a file, so that a test can read it meanwhile.
  Running start_waiter(const std::string& messages, const Words& words) {
    Words argv{"bash", "-c", "exec make \"$@\" 2>" + messages, "bash"};
    argv.insert(argv.end(), words.begin(), words.end());
    return sandbox_.start(argv);
  }
  /// "running: COMMAND (pid N, user U, 0s)" of the holder, as an extended regular expression.
  static std::string running_words(const Holder& holder) {
    return "running: pytest trace holder in hold-until [^ ]* trace holder out \\(pid " +
           to_string(holder.pid()) + ", user " + ::getpwuid(::getuid())->pw_name + ", [0-9.]+s\\)";
  }
  std::string only_state() {
    const auto queue = status_of(sandbox_)["queue"];
    return queue.size() == 1 ? queue[0]["state"].get<std::string>() : "";
  }
  Words run_in_lane(const Words& options, const std::string& text) {
    Words out{onelane_of(sandbox_), "run"};
    out.insert(out.end(), options.begin(), options.end());
    out.insert(out.end(), {"--", sandbox_.tools() + "/make", "trace", text});
    return out;
  }

  Sandbox sandbox_{Mode::Shim};
};

// --- The notice without a terminal -----------------------------------------------

TEST_F(WaitingTest, NothingIsSaidBefore400Milliseconds) {
  Holder holder{sandbox_};
  Running waiter = sandbox_.start({"make", "trace", "mine"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended ended = waiter.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_TRUE(ended.err.empty() || ended.took.count() >= 400) << ended.err;
  EXPECT_EQ(ended.out, "");
}

TEST_F(WaitingTest, OneLineSaysWhoRunsAndOneThatItStarted) {
  const std::string messages = sandbox_.fresh_path("messages");
  Holder holder{sandbox_};
  const std::string runs = running_words(holder);
  Running waiter = start_waiter(messages, {"trace", "mine"});
  ASSERT_TRUE(comes_to_contain(messages, "\n"));
  EXPECT_THAT(contents_of(messages),
              MatchesRegex("onelane: waiting for lane 'project' · 1st of 1 · " + runs +
                           " · queued, not hung\n"));
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended ended = waiter.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_GE(ended.took.count(), 400);
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(
      contents_of(messages),
      MatchesRegex("onelane: waiting[^\n]*\nonelane: started after [0-9.]+s \\(1 ahead\\)\n"));
}

TEST_F(WaitingTest, EachChangeOfPositionIsALine) {
  const std::string messages = sandbox_.fresh_path("messages");
  Gate gate{sandbox_, "first"};
  Holder holder{sandbox_};
  Running first = sandbox_.start({"make", "trace", "first", "hold-until", gate.path()});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  Running second = start_waiter(messages, {"trace", "second"});
  ASSERT_TRUE(comes_to_contain(messages, "· 2nd of 2 · running: pytest trace holder in"));
  EXPECT_TRUE(holder.release().exited_with(0));
  ASSERT_TRUE(comes_to_contain(messages, "· 1st of 1 ·"));
  gate.open();
  EXPECT_TRUE(first.wait().exited_with(0));
  EXPECT_TRUE(second.wait().exited_with(0));
  EXPECT_THAT(contents_of(messages),
              MatchesRegex("onelane: waiting for lane 'project' · 2nd of 2 · [^\n]*\n"
                           "onelane: waiting for lane 'project' · 1st of 1 · (running|next): make "
                           "trace first [^\n]*\n"
                           "onelane: started after [0-9.]+s \\(2 ahead\\)\n"));
}

TEST_F(WaitingTest, WhoMovesUpBecauseAnotherLeftSaysSo) {
  const std::string messages = sandbox_.fresh_path("messages");
  Holder holder{sandbox_};
  Running first = sandbox_.start({"make", "trace", "first"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  Running second = start_waiter(messages, {"trace", "second"});
  ASSERT_TRUE(comes_to_contain(messages, "· 2nd of 2 · running: pytest trace holder in"));
  first.signal(SIGTERM);
  EXPECT_TRUE(first.wait().died_of(SIGTERM));
  EXPECT_TRUE(comes_to_contain(messages, "· 1st of 1 · running: pytest trace holder in"));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(second.wait().exited_with(0));
}

TEST_F(WaitingTest, QuietIsSilent) {
  const std::string messages = sandbox_.fresh_path("messages");
  Holder holder{sandbox_};
  sandbox_.set_environment("ONELANE_QUIET", "1");
  Running quiet = sandbox_.start({"make", "trace", "quiet"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  sandbox_.set_environment("ONELANE_QUIET", std::nullopt);
  Running later = start_waiter(messages, {"trace", "later"});
  ASSERT_TRUE(comes_to_contain(messages, "\n"));  // so the quiet one has waited as long
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended ended = quiet.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.err, "");
  EXPECT_TRUE(later.wait().exited_with(0));
}

// --- On a terminal ----------------------------------------------------------------

TEST_F(WaitingTest, OnATerminalOneLineIsRedrawnAndClearedAtTheStart) {
  Holder holder{sandbox_};
  Terminal terminal{{"make", "out", "tool speaks"}, sandbox_.environment(), sandbox_.project()};
  for (int times = 0; times < 2; ++times) {
    const std::string shown = terminal.expect("\033[K");
    EXPECT_THAT(shown, StartsWith("\ronelane: waiting for lane 'project' · 1st of 1 · running: "));
    EXPECT_THAT(shown, Not(HasSubstr("\n")));
  }
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(terminal.expect("\r\033[K"), Not(HasSubstr("\n")));
  EXPECT_THAT(terminal.expect("tool speaks\r\n"),
              MatchesRegex("onelane: started after [0-9.]+s \\(1 ahead\\)\r\n"));
  EXPECT_EQ(terminal.wait(), 0);
}

TEST_F(WaitingTest, CtrlCLeavesAtOnceAndLeavesNoSlot) {
  Holder holder{sandbox_};
  Terminal terminal{{"make", "trace", "mine"}, sandbox_.environment(), sandbox_.project()};
  terminal.expect("\033[K");
  terminal.interrupt();
  const int status = terminal.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << describe_status(status);
  EXPECT_THAT(status_of(sandbox_)["queue"], IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(sandbox_.texts("mine"), IsEmpty());
}

TEST_F(WaitingTest, CtrlZParksAndForegroundBringsTheOldPlaceBack) {
  Shell shell{Shell::Kind::Bash, sandbox_.environment(), sandbox_.project()};
  Gate gate{sandbox_};
  {
    Holder holder{sandbox_};
    shell.type("make trace mine");
    ASSERT_TRUE(comes_to_queue(sandbox_, 1));
    shell.terminal().suspend();
    shell.wait_for_prompt();
    ASSERT_TRUE(eventually([&] { return only_state() == "parked"; }));
    Running other = sandbox_.start({"make", "trace", "other"});
    ASSERT_TRUE(comes_to_queue(sandbox_, 2));
    EXPECT_TRUE(holder.release().exited_with(0));
    EXPECT_TRUE(other.wait().exited_with(0));
    EXPECT_THAT(sandbox_.texts("mine"), IsEmpty());
  }
  Holder second{sandbox_, "second"};
  Running younger = sandbox_.start({"make", "trace", "younger"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 2));
  shell.type("fg");
  ASSERT_TRUE(eventually([&] {
    const auto queue = status_of(sandbox_)["queue"];
    return queue[0]["command"] == "make trace mine" && queue[0]["state"] == "waiting";
  }));
  EXPECT_TRUE(second.release().exited_with(0));
  shell.wait_for_prompt();
  EXPECT_EQ(shell.last_status(), 0);
  EXPECT_TRUE(younger.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "other", "second in",
                                            "second out", "mine", "younger"));
}

// --- Leaving, giving up, order ------------------------------------------------------

class EndingSignalTest : public WaitingTest, public testing::WithParamInterface<int> {};

INSTANTIATE_TEST_SUITE_P(Signals, EndingSignalTest,
                         testing::Values(SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGKILL),
                         [](const auto& each) { return std::string{::sigabbrev_np(each.param)}; });

TEST_P(EndingSignalTest, EndsTheWaitAtOnceAndTheNextMovesUp) {
  Holder holder{sandbox_};
  Running first = sandbox_.start({"make", "trace", "first"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  Running second = sandbox_.start({"make", "trace", "second"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 2));
  first.signal(GetParam());
  EXPECT_TRUE(first.wait().died_of(GetParam()));
  EXPECT_EQ(status_of(sandbox_)["queue"].size(), 1U);
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(second.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "second"));
}

TEST_F(WaitingTest, NoWaitGivesUpWithOneLine) {
  Holder holder{sandbox_};
  const std::string runs = running_words(holder);
  const Ended ended = sandbox_.run(run_in_lane({"--no-wait"}, "mine"));
  EXPECT_TRUE(ended.exited_with(75)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, MatchesRegex("onelane: the lane is taken; " + runs + "\n"));
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(status_of(sandbox_)["queue"], IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(sandbox_.run(run_in_lane({"--no-wait"}, "mine")).exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "mine"));
}

TEST_F(WaitingTest, QueueTimeoutGivesUpWithOneLine) {
  Holder holder{sandbox_};
  const std::string runs = running_words(holder);
  sandbox_.set_environment("ONELANE_QUEUE_TIMEOUT", "0.3");
  const Ended ended = sandbox_.run({"make", "trace", "mine"});
  EXPECT_TRUE(ended.exited_with(75)) << describe_status(ended.wait_status);
  EXPECT_GE(ended.took.count(), 300);
  EXPECT_THAT(ended.err, MatchesRegex("onelane: gave up after [0-9.]+s in the queue "
                                      "\\(QUEUE_TIMEOUT\\); " +
                                      runs + "\n"));
  EXPECT_THAT(status_of(sandbox_)["queue"], IsEmpty());
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_THAT(sandbox_.texts("mine"), IsEmpty());
}

TEST_F(WaitingTest, HigherPrioritiesGoFirstAndEqualOnesInOrder) {
  Holder holder{sandbox_};
  std::vector<Running> waiting;
  const std::vector<std::pair<std::string, std::string>> calls{
      {"-5", "low"}, {"0", "first"}, {"0", "second"}, {"5", "high"}};
  for (const auto& [priority, text] : calls) {
    waiting.push_back(sandbox_.start(run_in_lane({"--priority", priority}, text)));
    ASSERT_TRUE(comes_to_queue(sandbox_, waiting.size()));
  }
  EXPECT_TRUE(holder.release().exited_with(0));
  for (Running& run : waiting) {
    EXPECT_TRUE(run.wait().exited_with(0));
  }
  EXPECT_THAT(sandbox_.texts(),
              ElementsAre("holder in", "holder out", "high", "first", "second", "low"));
}

}  // namespace
}  // namespace onelane::test
