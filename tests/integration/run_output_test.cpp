#include <signal.h>
#include <sys/stat.h>

#include "tests/integration/run_scene.hpp"
#include "tests/support/tree_walk.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// `onelane run --log FILE` and `--json`.
class RunOutputTest : public RunScene {
 protected:
  Ended log(const Words& command) {
    Words words{"--log", path("log"), "--"};
    words.insert(words.end(), command.begin(), command.end());
    return run(words);
  }
  /// The one object that `run --json` prints.
  json json_of(const Words& words, int code) {
    Words all{"--json"};
    all.insert(all.end(), words.begin(), words.end());
    const Ended ended = run(all);
    EXPECT_TRUE(ended.exited_with(code)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_EQ(ended.out.find('\n'), ended.out.size() - 1);
    return json::parse(ended.out);
  }
};

TEST_F(RunOutputTest, TheLogGetsWhatTheCallerGets) {
  const Ended ended = log({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_TRUE(ended.exited_with(3)) << describe_status(ended.wait_status);
  EXPECT_EQ(ended.out, "out\n");
  EXPECT_EQ(ended.err, "err\n");
  const std::string text = contents_of(path("log"));
  EXPECT_THAT(text, HasSubstr("out\n"));
  EXPECT_THAT(text, HasSubstr("err\n"));
  EXPECT_THAT(text,
              ContainsRegex("# onelane: run [^ ]+: exit 3, took [^ ]+, at most .* of memory\n$"));
  struct stat info {};
  ASSERT_EQ(::stat(path("log").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(RunOutputTest, TheLogIsAppendedToWithALineForEachAttempt) {
  EXPECT_TRUE(log({"printf", "first"}).exited_with(0));
  EXPECT_TRUE(run({"--retry", "1", "--log", path("log"), "--", "sh", "-c", "echo again; exit 2"})
                  .exited_with(2));
  std::vector<std::string> lines;
  std::istringstream text{contents_of(path("log"))};
  for (std::string line; std::getline(text, line);) {
    lines.push_back(line);
  }
  EXPECT_THAT(lines,
              ElementsAre("first", HasSubstr(": exit 0"), "again", HasSubstr(", attempt 1: exit 2"),
                          "again", HasSubstr(", attempt 2: exit 2")));
}

TEST_F(RunOutputTest, AllOfALongOutputArrives) {
  const Ended ended = log({tool(), "out-bytes", "3000000"});
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.out.size(), 3'000'000U);
  EXPECT_THAT(contents_of(path("log")), StartsWith(ended.out));
}

TEST_F(RunOutputTest, AReaderThatLeavesEndsTheTool) {
  const Ended ended = sandbox_.run({"bash", "-c",
                                    onelane_of(sandbox_) + " run --log " + path("log") + " -- " +
                                        tool() + " out-forever | head -c 3"});
  EXPECT_EQ(ended.out.size(), 3U);
}

TEST_F(RunOutputTest, ALogThatCannotBeOpenedRunsNothing) {
  const Ended ended = run({"--log", path("no/log"), "--", tool(), "trace", "ran"});
  EXPECT_TRUE(ended.exited_with(125)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, HasSubstr("no/log"));
  EXPECT_TRUE(sandbox_.texts().empty());
}

TEST_F(RunOutputTest, SoDoesOneThatEachProcessOfTheTreeIsSent) {
  Gate gate{sandbox_};
  Running running = start_run({"--log", path("log"), "--", tool(), "catch", "TERM", "sleep", "150",
                               "trace", "ready", "hold-until", gate.path(), "exit", "4"});
  sandbox_.wait_for("ready");
  std::size_t expected = 0;
  int counted = 0;
  for (const WalkOrder order : {WalkOrder::Levels, WalkOrder::Preorder, WalkOrder::LeafFirst}) {
    for (const int pause : {0, 1, 5, 20, 50}) {
      ++expected;
      const bool in_time = walk_tree(running.pid(), SIGTERM, {order, milliseconds{pause}});
      ASSERT_TRUE(eventually([&] { return sandbox_.texts("sig TERM").size() >= expected; }));
      const bool twice = eventually([&] { return sandbox_.texts("sig TERM").size() > expected; },
                                    milliseconds{150});
      EXPECT_FALSE(twice && in_time) << name_of(order) << " by " << pause << " ms";
      counted += in_time ? 1 : 0;
      expected = sandbox_.texts("sig TERM").size();
    }
  }
  EXPECT_GT(counted, 0) << "the machine is too busy for this test";
  gate.open();
  EXPECT_TRUE(running.wait().exited_with(4));
}

TEST_F(RunOutputTest, ASignalReachesTheToolOnce) {
  Running running = start_run({"--log", path("log"), "--", tool(), "catch", "TERM", "trace",
                               "ready", "wait-signal", "TERM", "trace", "told", "exit", "4"});
  sandbox_.wait_for("ready");
  running.signal(SIGTERM);
  EXPECT_TRUE(running.wait().exited_with(4));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("ready", "sig TERM", "told"));
}

TEST_F(RunOutputTest, ItsKeeperKilledTheRunEnds) {
  Gate gate{sandbox_};
  Running running =
      start_run({"--log", path("log"), "--", tool(), "trace", "ready", "hold-until", gate.path()});
  const pid_t tool_pid = sandbox_.wait_for("ready").pid;
  running.signal(SIGKILL);
  EXPECT_TRUE(running.wait().died_of(SIGKILL));
  EXPECT_TRUE(eventually([&] { return !is_alive(tool_pid); }));
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
}

TEST_F(RunOutputTest, ToolsBelowItPass) {
  const Ended ended = log({"sh", "-c", "make call npm trace deep end"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(sandbox_.texts(), ElementsAre("deep"));
}

TEST_F(RunOutputTest, JsonTellsAll) {
  const json said =
      json_of({"--label", "nightly", "--", "sh", "-c", "echo out; echo err >&2; exit 3"}, 3);
  EXPECT_EQ(said["schema"], 1);
  EXPECT_EQ(said["stdout"], "out\n");
  EXPECT_EQ(said["stderr"], "err\n");
  EXPECT_EQ(said["code"], 3);
  EXPECT_TRUE(said["signal"].is_null());
  EXPECT_EQ(said["reason"], "exited");
  EXPECT_EQ(said["label"], "nightly");
  EXPECT_GT(said["peak_process_kb"], 0);
  ASSERT_EQ(said["attempts"].size(), 1U);
  EXPECT_EQ(said["id"], journal().at(0)["id"]);
  EXPECT_EQ(journal().at(0)["label"], "nightly");
}

TEST_F(RunOutputTest, JsonGivesTheLastAttemptsOutput) {
  const json said = json_of(
      {"--retry", "2", "--", "sh", "-c", "echo x >>tries; wc -l <tries; [ $(wc -l <tries) = 2 ]"},
      0);
  EXPECT_EQ(said["stdout"], "2\n");
  ASSERT_EQ(said["attempts"].size(), 2U);
  EXPECT_EQ(said["attempts"][0]["code"], 1);
  EXPECT_EQ(said["attempts"][1]["code"], 0);
}

TEST_F(RunOutputTest, JsonKeepsBytesThatAreNoText) {
  const json said = json_of({"--", "printf", "\\377\\376a"}, 0);
  EXPECT_EQ(said["stdout"]["base64"], "//5h");
}

TEST_F(RunOutputTest, JsonTellsOfSignalsAndLimits) {
  const Ended died = run({"--json", "--", "sh", "-c", "echo last; kill -USR1 $$"});
  EXPECT_TRUE(died.died_of(SIGUSR1));
  EXPECT_EQ(json::parse(died.out)["signal"], SIGUSR1);
  EXPECT_EQ(json::parse(died.out)["stdout"], "last\n");
  const json late = json_of({"--timeout", "1", "--", "sleep", "300"}, 124);
  EXPECT_EQ(late["reason"], "timeout");
  EXPECT_EQ(late["code"], 124);
}

TEST_F(RunOutputTest, JsonTellsThatNothingWasRun) {
  Holder holder{sandbox_};
  const json said = json_of({"--no-wait", "--", "true"}, 75);
  EXPECT_EQ(said["reason"], "not-started");
  EXPECT_EQ(said["code"], 75);
  EXPECT_TRUE(said["id"].is_null());
  EXPECT_TRUE(holder.release().exited_with(0));
}

}  // namespace
}  // namespace onelane::test
