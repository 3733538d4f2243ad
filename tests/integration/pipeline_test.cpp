#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

using Words = std::vector<std::string>;

constexpr const char* kMayNotContain = "unshare -pf --mount-proc is not permitted here";

/// Calls that are parts of one pipeline, and those that only look like it. pipeline_matrix.py has
/// the real tools.
class PipelineTest : public testing::Test {
 protected:
  PipelineTest() { sandbox_.set_environment("ONELANE_QUIET", "1"); }

  Running shell(const std::string& text) { return sandbox_.start({"bash", "-c", text}); }
  /// `make` that traces `NAME in`, waits at `gate` and traces `NAME out`.
  static std::string held(const std::string& name, const Gate& gate) {
    return "make trace '" + name + " in' hold-until " + gate.path() + " trace '" + name + " out'";
  }
  /// Runs past onelane until `text` is in the trace.
  [[nodiscard]] std::string fake_await(const std::string& text) const {
    return sandbox_.tools() + "/make await-trace " + text;
  }
  json status() { return status_of(sandbox_); }
  /// A shell with the arguments `args`, as pid 1 of a PID namespace.
  static Words contained(const Words& args) {
    Words out{"unshare", "-pf", "--mount-proc", "sh", "-c"};
    out.insert(out.end(), args.begin(), args.end());
    return out;
  }
  bool may_contain() { return sandbox_.run(contained({"true"})).exited_with(0); }

  std::vector<json> journal() {
    std::vector<json> lines;
    std::istringstream text{contents_of(sandbox_.project() + "/.git/onelane/runs.jsonl")};
    for (std::string line; std::getline(text, line);) {
      lines.push_back(json::parse(line));
    }
    return lines;
  }

  Sandbox sandbox_{Mode::Shim};
  Gate left_{sandbox_, "left"};
  Gate right_{sandbox_, "right"};
};

TEST_F(PipelineTest, BothSidesRunAtOnceAndAreSeen) {
  Running pipeline = shell(held("left", left_) + " | " + held("right", right_));
  sandbox_.wait_for("left in");
  sandbox_.wait_for("right in");
  const json seen = status();
  ASSERT_EQ(seen["pipeline"].size(), 1U) << seen;
  EXPECT_EQ(seen["pipeline"][0]["state"], "running");
  EXPECT_EQ(seen["pipeline"][0]["pipeline_of"], seen["holder"]["id"]);
  EXPECT_TRUE(seen["holder"]["pipeline_of"].is_null());
  EXPECT_TRUE(seen["queue"].empty());
  const std::string text = sandbox_.run({onelane_of(sandbox_), "status"}).out;
  EXPECT_THAT(text, HasSubstr("beside:  make"));
  EXPECT_THAT(text, HasSubstr("same pipeline as run " + seen["holder"]["id"].get<std::string>()));
  left_.open();
  right_.open();
  EXPECT_TRUE(pipeline.wait().exited_with(0));
  const auto records = journal();
  ASSERT_EQ(records.size(), 2U);
  const auto with = std::ranges::count_if(
      records, [](const json& record) { return record.contains("pipeline_of"); });
  EXPECT_EQ(with, 1);
}

TEST_F(PipelineTest, TheTurnLastsUntilTheLastOfItHasEnded) {
  Running pipeline = shell(held("left", left_) + " | " + held("right", right_));
  sandbox_.wait_for("left in");
  sandbox_.wait_for("right in");
  Running stranger = sandbox_.start({"make", "trace", "stranger"});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  const std::string holder = status()["holder"]["command"];
  const bool is_left = holder.find("left") != std::string::npos;
  Gate& first = is_left ? left_ : right_;
  first.open();
  // The other one has the lane now, and is shown as its holder.
  ASSERT_TRUE(eventually([&] {
    const json now = status();
    return now["pipeline"].empty() && now["holder"].is_object() &&
           now["holder"]["command"] != holder;
  }));
  EXPECT_EQ(status()["queue"].size(), 1U);
  EXPECT_THAT(sandbox_.texts("stranger"), testing::IsEmpty());
  (is_left ? right_ : left_).open();
  EXPECT_TRUE(pipeline.wait().exited_with(0));
  EXPECT_TRUE(stranger.wait().exited_with(0));
  EXPECT_EQ(sandbox_.texts().back(), "stranger");
}

TEST_F(PipelineTest, ACallBelowAPartnerPasses) {
  Running pipeline = shell(held("left", left_) +
                           " | make trace 'right in' call git trace nested end trace 'right out'");
  sandbox_.wait_for("left in");
  sandbox_.wait_for("right out");
  EXPECT_THAT(sandbox_.texts("nested"), ElementsAre("nested"));
  left_.open();
  EXPECT_TRUE(pipeline.wait().exited_with(0));
}

TEST_F(PipelineTest, NoWaitIsNoReasonToFailInAPipeline) {
  Running pipeline = shell(
      "set -o pipefail; " + held("left", left_) + " | " + "{ while ! " + onelane_of(sandbox_) +
      " status | grep -q 'holder:  make'; do :; done; " + onelane_of(sandbox_) +
      " run --no-wait -- " + sandbox_.tools() + "/make trace right; }");
  sandbox_.wait_for("right");
  left_.open();
  EXPECT_TRUE(pipeline.wait().exited_with(0));
}

TEST_F(PipelineTest, ExplainSaysIt) {
  const std::string told = sandbox_.fresh_path("told");
  Running pipeline = shell(held("left", left_) + " | { while ! " + onelane_of(sandbox_) +
                           " status | grep -q 'holder:  make'; do :; done; " +
                           onelane_of(sandbox_) + " explain -- git commit -F - > " + told + "; }");
  sandbox_.wait_for("left in");
  const std::string id = status()["holder"]["id"];
  EXPECT_TRUE(
      comes_to_contain(told, "decision: starts at once: same pipeline as run " + id + "\n"));
  EXPECT_TRUE(comes_to_contain(told, "input:    its work; calls of the process that writes it"));
  left_.open();
  EXPECT_TRUE(pipeline.wait().exited_with(0));
}

TEST_F(PipelineTest, APartnerWhoseSupervisorIsKilledEndsWithItsTurnKept) {
  sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
  Running pipeline =
      shell("set -o pipefail; " + held("left", left_) + " | " + held("right", right_));
  sandbox_.wait_for("left in");
  sandbox_.wait_for("right in");
  const json seen = status();
  const pid_t partner = seen["pipeline"][0]["pid"];
  const pid_t tool = sandbox_
                         .wait_for(seen["pipeline"][0]["command"].get<std::string>().find("left") !=
                                           std::string::npos
                                       ? "left in"
                                       : "right in")
                         .pid;
  ::kill(partner, SIGKILL);
  EXPECT_TRUE(eventually([&] { return status()["pipeline"].empty(); }));
  EXPECT_FALSE(is_alive(tool));
  EXPECT_EQ(status()["holder"]["id"], seen["holder"]["id"]);
  left_.open();
  right_.open();
  EXPECT_FALSE(pipeline.wait().exited_with(0));
}

TEST_F(PipelineTest, OnHoldNoPartStartsAndAllDoOnceItIsReleased) {
  ASSERT_TRUE(sandbox_.run({onelane_of(sandbox_), "hold"}).exited_with(0));
  Running pipeline = shell("set -o pipefail; make trace left | make trace right");
  ASSERT_TRUE(comes_to_queue(sandbox_, 2));
  EXPECT_THAT(sandbox_.texts(), testing::IsEmpty());
  ASSERT_TRUE(sandbox_.run({onelane_of(sandbox_), "release"}).exited_with(0));
  EXPECT_TRUE(pipeline.wait().exited_with(0));
  EXPECT_EQ(sandbox_.texts().size(), 2U);
}

TEST_F(PipelineTest, AHoldFromThenOnLetsThePipelineFinish) {
  Running pipeline = shell("set -o pipefail; " + held("left", left_) + " | { " +
                           fake_await("held") + "; make trace right; }");
  sandbox_.wait_for("left in");
  ASSERT_TRUE(sandbox_.run({onelane_of(sandbox_), "hold"}).exited_with(0));
  EXPECT_TRUE(sandbox_.run({sandbox_.tools() + "/make", "trace", "held"}).exited_with(0));
  sandbox_.wait_for("right");
  left_.open();
  EXPECT_TRUE(pipeline.wait().exited_with(0));
  ASSERT_TRUE(sandbox_.run({onelane_of(sandbox_), "release"}).exited_with(0));
}

TEST_F(PipelineTest, StopEndsAllOfIt) {
  Running pipeline = shell(held("left", left_) + " | " + held("right", right_));
  const pid_t left = sandbox_.wait_for("left in").pid;
  const pid_t right = sandbox_.wait_for("right in").pid;
  EXPECT_TRUE(sandbox_.run({onelane_of(sandbox_), "stop", "--yes"}).exited_with(0));
  EXPECT_FALSE(is_alive(left));
  EXPECT_FALSE(is_alive(right));
  (void)pipeline.wait();
  EXPECT_TRUE(status()["holder"].is_null());
}

// --- What only looks like a pipeline ------------------------------------------------

/// An agent that keeps a pipe to the standard input and from the output of two makes.
constexpr const char* kAgent = R"(
import subprocess, sys
both = [subprocess.Popen(['make', 'trace', f'{name} in', 'await-trace', 'go', 'trace', f'{name} out'],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for name in ('one', 'two')]
sys.exit(max(p.wait() for p in both))
)";

TEST_F(PipelineTest, AnAgentThatKeepsAPipeToEachCallJoinsNone) {
  Running agent = sandbox_.start({"python3", "-c", kAgent});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  // Past the later look as well.
  ASSERT_TRUE(eventually([&] { return status()["queue"][0]["waited_ms"] > 1500; }));
  EXPECT_EQ(sandbox_.texts().size(), 1U);
  EXPECT_TRUE(status()["pipeline"].empty());
  EXPECT_TRUE(sandbox_.run({sandbox_.tools() + "/make", "trace", "go"}).exited_with(0));
  EXPECT_TRUE(agent.wait().exited_with(0));
  const auto texts = sandbox_.texts();
  ASSERT_EQ(texts.size(), 5U);
  EXPECT_EQ(texts[2].substr(4), "out");
}

/// The same with a call that its shell has left behind: its origin is no longer known, and its
/// output goes to the agent above the other call.
class LeftBehindTest : public PipelineTest, public testing::WithParamInterface<const char*> {
 protected:
  void expect_to_wait(const Words& agent) {
    sandbox_.set_environment("G", left_.path());
    sandbox_.set_environment("STARTED", fake_await("one"));
    Running running = sandbox_.start(agent);
    ASSERT_TRUE(comes_to_queue(sandbox_, 1));
    ASSERT_TRUE(eventually([&] { return status()["queue"][0]["waited_ms"] > 1500; }));
    EXPECT_TRUE(status()["pipeline"].empty());
    left_.open();
    EXPECT_TRUE(running.wait().exited_with(0));
  }
};

INSTANTIATE_TEST_SUITE_P(Ways, LeftBehindTest,
                         testing::Values("(make trace one hold-until $G &) ; $STARTED",
                                         "(setsid make trace one hold-until $G &) ; $STARTED"),
                         [](const auto& each) {
                           return std::string_view{each.param}.starts_with("(set") ? "InASession"
                                                                                   : "Orphan";
                         });

constexpr const char* kReader = R"(
import subprocess, sys
first = subprocess.Popen(['sh', '-c', sys.argv[1]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
first.wait()
second = subprocess.Popen(['sh', '-c', 'make trace two; :'], stdout=subprocess.PIPE,
                          stdin=subprocess.PIPE, stderr=subprocess.STDOUT)
first.stdout.read()
sys.exit(second.wait())
)";

TEST_P(LeftBehindTest, IsNoPartOfWhatItsReaderDoes) {
  expect_to_wait({"python3", "-c", kReader, GetParam()});
}

/// In a container every process is in the session of pid 1, which adopts what is left behind.
TEST_P(LeftBehindTest, IsNoPartOfWhatItsReaderDoesInAContainer) {
  if (!may_contain()) {
    GTEST_SKIP() << kMayNotContain;
  }
  expect_to_wait(contained({"python3 -c \"$0\" \"$1\"; exit $?", kReader, GetParam()}));
}

/// A `make` of a program that the shell of a container has put into a pipeline with another.
class ContainerPipelineTest : public PipelineTest,
                              public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(
    Sides, ContainerPipelineTest,
    testing::Values("$ONE | sh -c 'make trace two </dev/null >/dev/null; cat'; exit $?",
                    "sh -c '$STARTED; make trace two </dev/null >/dev/null; echo' | $ONE; exit $?"),
    [](const auto& each) {
      return std::string_view{each.param}.starts_with("$") ? "Reader" : "Writer";
    });

TEST_P(ContainerPipelineTest, IsOneTurn) {
  if (!may_contain()) {
    GTEST_SKIP() << kMayNotContain;
  }
  sandbox_.set_environment("ONE", "make trace one await-trace two");
  sandbox_.set_environment("STARTED", fake_await("one"));
  EXPECT_TRUE(sandbox_.run(contained({GetParam()})).exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("one", "two"));
}

TEST_F(PipelineTest, TwoWritersOfOnePipeWaitForEachOther) {
  Running both = shell("{ " + held("one", left_) + " & " + held("two", left_) + " & wait; } | cat");
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  ASSERT_TRUE(eventually([&] { return status()["queue"][0]["waited_ms"] > 1500; }));
  EXPECT_EQ(sandbox_.texts().size(), 1U);
  left_.open();
  EXPECT_TRUE(both.wait().exited_with(0));
  const auto texts = sandbox_.texts();
  ASSERT_EQ(texts.size(), 4U);
  EXPECT_EQ(texts[0].substr(0, 3), texts[1].substr(0, 3));
}

TEST_F(PipelineTest, AJobserverJoinsNothing) {
  sandbox_.use_real("make");
  sandbox_.add_plain_tool("probe");
  const std::string probe = "@probe trace-file " + sandbox_.root() + "/trace ";
  std::ofstream{sandbox_.project() + "/Makefile"} << "%:\n\t" << probe
                                                  << "trace '$@ in' trace '$@ out'\n";
  // A make outside of any lane, whose two recipes call make in the project.
  std::ofstream{sandbox_.root() + "/outer.mk"} << "all: one two\none two:\n\t+@cd "
                                               << sandbox_.project() << " && make $@\n";
  EXPECT_TRUE(sandbox_.run({"/usr/bin/make", "-j2", "-s", "-f", sandbox_.root() + "/outer.mk"})
                  .exited_with(0));
  const auto texts = sandbox_.texts();
  ASSERT_EQ(texts.size(), 4U);
  EXPECT_EQ(texts[0].substr(0, 3), texts[1].substr(0, 3));
}

}  // namespace
}  // namespace onelane::test
