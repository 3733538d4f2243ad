#include <signal.h>

#include <sstream>

#include "tests/integration/run_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// Adds a line to `tries` and succeeds the third time.
constexpr const char* kThirdTime = "echo x >>tries; [ $(wc -l <tries) -ge 3 ]";

class RetryTest : public RunScene {
 protected:
  [[nodiscard]] std::size_t tries() const { return contents_of(path("tries")).size() / 2; }
};

TEST_F(RetryTest, TriesAgainUntilItSucceeds) {
  const Ended ended = run({"--retry", "5", "--", "sh", "-c", kThirdTime});
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("attempt 2 of 6: exit 1; again now"));
  EXPECT_EQ(tries(), 3U);
  const auto records = journal();
  ASSERT_EQ(records.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(records[i]["id"], records[0]["id"]);
    EXPECT_EQ(records[i]["attempt"], i + 1);
    EXPECT_EQ(records[i]["code"], i == 2 ? 0 : 1);
  }
}

TEST_F(RetryTest, EndsAsTheLastAttempt) {
  EXPECT_TRUE(run({"--retry", "1", "--", "sh", "-c", "echo x >>tries; exit 7"}).exited_with(7));
  EXPECT_EQ(tries(), 2U);
  EXPECT_TRUE(run({"--retry", "1", "--", "sh", "-c", "kill -USR1 $$"}).died_of(SIGUSR1));
}

TEST_F(RetryTest, ItIsRunOnceWithoutNeedOrWish) {
  EXPECT_TRUE(run({"--retry", "5", "--", "sh", "-c", "echo x >>tries"}).exited_with(0));
  EXPECT_TRUE(run({"--", "sh", "-c", "echo x >>tries; exit 1"}).exited_with(1));
  EXPECT_EQ(tries(), 2U);
  EXPECT_FALSE(journal().at(1).contains("attempt"));
}

TEST_F(RetryTest, TheLaneIsKeptBetweenAttempts) {
  Running retried = start_run(
      {"--retry", "1", "--retry-delay", "2", "--", tool(), "trace", "attempt", "exit", "1"});
  sandbox_.wait_for("attempt");
  Running next = queue("next");
  EXPECT_TRUE(retried.wait().exited_with(1));
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("attempt", "attempt", "next"));
}

TEST_F(RetryTest, NothingOfATimedOutAttemptIsLeftInTheNext) {
  const Ended ended = run({"--timeout", "1", "--retry", "1", "--", "sh", "-c",
                           "if [ -f pid ]; then kill -0 $(cat pid) && echo lives; exit 0; fi; "
                           "sleep 300 & echo $! >pid; wait"});
  EXPECT_TRUE(ended.exited_with(0)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(journal().at(0)["reason"], "timeout");
}

TEST_F(RetryTest, WhatEachAttemptHasKeptIsWrittenDownOnce) {
  // On the keep list: spared even under `onelane run`, which waits for everything else.
  const Ended ended = run({"--retry", "1", "--", "sh", "-c",
                           "cp /bin/sleep gpg-agent 2>/dev/null; "
                           "./gpg-agent 300 </dev/null >/dev/null 2>&1 & echo $! >>pids; exit 1"});
  EXPECT_TRUE(ended.exited_with(1)) << ended.err;
  std::vector<pid_t> pids;
  std::istringstream lines{contents_of(path("pids"))};
  for (pid_t pid = 0; lines >> pid;) {
    pids.push_back(pid);
  }
  ASSERT_EQ(pids.size(), 2U);
  std::vector<pid_t> kept;
  const json status = json::parse(sandbox_.run({onelane_of(sandbox_), "status", "--json"}).out);
  for (const json& process : status.at("kept")) {
    kept.push_back(process.at("pid").get<pid_t>());
  }
  EXPECT_THAT(kept, testing::UnorderedElementsAreArray(pids));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(journal().at(i).at("kept").at(0).at("pid"), pids[i]);
    ::kill(pids[i], SIGKILL);
  }
}

TEST_F(RetryTest, InputAndOutputAreThereForEveryAttempt) {
  const Ended ended = sandbox_.run({"bash", "-c",
                                    "printf 'a\\nb\\nc\\n' | " + onelane_of(sandbox_) +
                                        " run --retry 5 -- sh -c 'read x; echo \"$x\"; [ $x = c ]'"
                                        " | cat"});
  EXPECT_EQ(ended.out, "a\nb\nc\n");
}

TEST_F(RetryTest, AReaderThatHasGoneIsFinal) {
  const Ended ended = sandbox_.run({"bash", "-c",
                                    onelane_of(sandbox_) + " run --retry 3 -- " + tool() +
                                        " trace try out-forever | head -c 1"});
  EXPECT_EQ(ended.out.size(), 1U);
  EXPECT_THAT(sandbox_.texts(), ElementsAre("try"));
}

TEST_F(RetryTest, ALimitOfProcessesIsFinal) {
  const Ended ended = run({"--max-processes", "2", "--retry", "3", "--", "sh", "-c",
                           "echo x >>tries; sleep 30 & sleep 30 & sleep 30 & sleep 30 & wait"});
  EXPECT_TRUE(ended.exited_with(137)) << describe_status(ended.wait_status);
  EXPECT_EQ(tries(), 1U);
}

TEST_F(RetryTest, SoAreAStopOrderAndASignal) {
  Gate gate{sandbox_};
  Running stopped =
      start_run({"--retry", "3", "--", tool(), "trace", "a", "hold-until", gate.path()});
  sandbox_.wait_for("a");
  EXPECT_TRUE(onelane({"stop", "--yes"}).exited_with(0));
  EXPECT_FALSE(stopped.wait().exited_with(0));
  Running ended =
      start_run({"--retry", "3", "--", tool(), "trace", "b", "hold-until", gate.path()});
  sandbox_.wait_for("b");
  ended.signal(SIGTERM);
  EXPECT_TRUE(ended.wait().died_of(SIGTERM));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("a", "b"));
}

TEST_F(RetryTest, ASignalInTheDelayEndsIt) {
  Running waiting = start_run({"--retry", "1", "--retry-delay", "1h", "--", "sh", "-c", "exit 3"});
  ASSERT_TRUE(comes_to_contain(journal_path(), "\"attempt\":1"));
  EXPECT_TRUE(waiting.is_running());
  waiting.signal(SIGTERM);
  EXPECT_TRUE(waiting.wait().died_of(SIGTERM));
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  EXPECT_EQ(journal().size(), 2U);
}

TEST_F(RetryTest, KilledBetweenAttemptsItIsClearedAwayAfter) {
  Running killed = start_run({"--retry", "1", "--retry-delay", "1h", "--", "sh", "-c", "exit 3"});
  ASSERT_TRUE(comes_to_contain(journal_path(), "\"attempt\":1"));
  killed.signal(SIGKILL);
  EXPECT_TRUE(killed.wait().died_of(SIGKILL));
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  const auto records = journal();
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1]["id"], records[0]["id"]);
  EXPECT_EQ(records[1]["reason"], "crashed");
  EXPECT_EQ(records[1]["attempt"], 2);
}

TEST_F(RetryTest, ThePipelineTimeoutBoundsAllAttemptsTogether) {
  sandbox_.set_environment("PIPELINE_TIMEOUT", "4");
  const Ended ended =
      run({"--retry", "1", "--", "sh", "-c",
           "if [ -f tries ]; then exec sleep 300; fi; echo x >tries; sleep 3; exit 1"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status) << ended.err;
  const auto records = journal();
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[1]["reason"], "pipeline-timeout");
  EXPECT_LT(records[1]["duration_ms"].get<int>(), 4000);
}

TEST_F(RetryTest, TheKillSignalIsTheFirstOne) {
  const Ended ended = run({"--timeout", "1", "--kill-signal", "INT", "--", "sh", "-c",
                           "trap 'echo interrupted; exit 0' INT; while :; do sleep 0.1; done"});
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status);
  EXPECT_EQ(ended.out, "interrupted\n");
}

}  // namespace
}  // namespace onelane::test
