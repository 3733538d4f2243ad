#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/integration/queue_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// The options given to `add` apply when the entry is started.
class QueueOptionsTest : public QueueTest {
 protected:
  void add_with(Words options, const Words& command) {
    options.emplace_back("--");
    options.insert(options.end(), command.begin(), command.end());
    must_queue("add", options);
  }
  static Words hog(const Words& verbs) {
    Words words{ONELANE_BUILT_HOG};
    words.insert(words.end(), verbs.begin(), verbs.end());
    return words;
  }
  /// Records of runs, the newest first; the queue start itself is not among them.
  [[nodiscard]] json runs() {
    json out = json::array();
    const json all = json_of({"runs", "list", "--json"}).at("runs");
    for (const json& run : all) {
      if (run.at("class") != "queue-start") {
        out.push_back(run);
      }
    }
    return out;
  }
  /// One entry with these options and another behind it; the first ends the queue start with
  /// `code`.
  void expect_ended(const Words& options, const Words& command, int code, const char* reason) {
    add_with(options, command);
    add({"make", "trace", "next"});
    const Ended ended = queue("start");
    EXPECT_TRUE(ended.exited_with(code)) << describe_status(ended.wait_status) << ended.err;
    EXPECT_EQ(status().at("entries").at(0).at("code"), code);
    EXPECT_THAT(states(), ElementsAre("1 failed", "2 queued"));
    EXPECT_EQ(runs().at(0).at("reason"), reason);
  }
};

TEST_F(QueueOptionsTest, TimeoutEndsTheEntryAndTheStart) {
  expect_ended({"--timeout", "1"}, {"make", "trace", "in", "sleep", "60000"}, 124, "timeout");
  EXPECT_THAT(texts(), ElementsAre("in"));
}

TEST_F(QueueOptionsTest, MemoryEndsAHogAndTheStart) {
  expect_ended({"--memory", "64"}, hog({"leak", "60", "1000", "hold"}), 137, "memory");
}

TEST_F(QueueOptionsTest, TreeMemoryCountsAllOfThem) {
  expect_ended({"--memory", "1G", "--tree-memory", "64"}, hog({"leak", "60", "1000", "hold"}), 137,
               "tree-memory");
}

TEST_F(QueueOptionsTest, MaxProcessesEndsABombAndKeepGoingRunsTheRest) {
  add_with({"--max-processes", "8"},
           {"sh", "-c", "i=0; while [ $i -lt 20 ]; do sleep 60 & i=$((i+1)); done; wait"});
  add({"make", "trace", "next"});
  const Ended ended = queue("start", {"--keep-going"});
  EXPECT_TRUE(ended.exited_with(137)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(states(), ElementsAre("1 failed", "2 passed"));
  EXPECT_EQ(runs().at(1).at("reason"), "processes");
  EXPECT_THAT(texts(), ElementsAre("next"));
}

TEST_F(QueueOptionsTest, KillSignalIsTheFirstOneAtALimit) {
  add_with({"--timeout", "1", "--kill-signal", "INT"},
           {"make", "catch", "INT", "trace", "in", "wait-signal", "INT", "trace", "told"});
  EXPECT_TRUE(queue("start").exited_with(124));
  EXPECT_THAT(texts(), ElementsAre("in", "sig INT", "told"));
}

TEST_F(QueueOptionsTest, EveryAttemptIsARecordOfTheOneEntry) {
  add_with({"--retry", "2", "--retry-delay", "10ms"}, {"make", "trace", "try", "exit", "4"});
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(4)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("attempt 2 of 3: exit 4; again in 0.0s"));
  EXPECT_THAT(texts(), ElementsAre("try", "try", "try"));
  const json records = runs();
  ASSERT_EQ(records.size(), 3U);
  const json entry = status().at("entries").at(0);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(records.at(i).at("attempt"), 3 - i);
    EXPECT_EQ(records.at(i).at("id"), entry.at("run"));
    EXPECT_EQ(records.at(i).at("queue_start"), entry.at("queue_start"));
  }
  const json queue_start = json_of({"runs", "view", entry.at("queue_start"), "--json"});
  EXPECT_EQ(queue_start.at("jobs"), json({entry.at("run")}));
}

TEST_F(QueueOptionsTest, ALogIsWrittenInTheEntrysDirectory) {
  const std::string below = shop_.path("below");
  std::filesystem::create_directory(below);
  ASSERT_TRUE(
      shop_.onelane({"queue", "add", "--log", "out.log", "--", "make", "out", "printed"}, below)
          .exited_with(0));
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("printed"));
  EXPECT_THAT(shop_.read("below/out.log"), HasSubstr("printed"));
}

TEST_F(QueueOptionsTest, PriorityIsTheOneInTheLane) {
  Gate gate{shop_.sandbox()};
  Running holder = shop_.start({"make", "trace", "in", "hold-until", gate.path()});
  shop_.sandbox().wait_for("in");
  Running other = shop_.start({"make", "trace", "other"});
  const auto waiting = [&] { return json_of({"status", "--json"}).at("queue"); };
  ASSERT_TRUE(eventually([&] { return waiting().size() == 1; }));
  add_with({"--priority", "7"}, {"make", "trace", "entry"});
  Running start = start_queue();
  ASSERT_TRUE(eventually([&] { return waiting().size() == 2; }));
  gate.open();
  EXPECT_TRUE(start.wait().exited_with(0));
  EXPECT_TRUE(other.wait().exited_with(0));
  EXPECT_TRUE(holder.wait().exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("in", "entry", "other"));
}

}  // namespace
}  // namespace onelane::test
