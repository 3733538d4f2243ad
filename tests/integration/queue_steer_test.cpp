#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/queue_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class QueueSteerTest : public QueueTest {
 protected:
  static std::string queue_file(const std::string& suffix) {
    return ".git/onelane/queue-" + std::to_string(::geteuid()) + suffix;
  }
  /// An entry that traces `name in`, waits at the gate and traces `name out`.
  void add_held(const std::string& name, const Gate& gate) {
    add({"make", "trace", name + " in", "hold-until", gate.path(), "trace", name + " out"});
  }
};

TEST_F(QueueSteerTest, OneStartAtATime) {
  Gate gate{shop_.sandbox()};
  add_held("a", gate);
  Running start = start_queue();
  shop_.sandbox().wait_for("a in");
  const Ended second = queue("start");
  EXPECT_TRUE(second.exited_with(75)) << second.err;
  EXPECT_THAT(second.err, HasSubstr("being run already by "));
  EXPECT_THAT(second.err, HasSubstr("pid " + std::to_string(start.pid())));
  EXPECT_EQ(status().at("start").at("pid"), start.pid());
  gate.open();
  EXPECT_TRUE(start.wait().exited_with(0));
  EXPECT_EQ(status().at("start"), nullptr);
}

TEST_F(QueueSteerTest, WhatIsAddedMeanwhileIsRunAsWell) {
  Gate gate{shop_.sandbox()};
  add_held("a", gate);
  Running start = start_queue();
  shop_.sandbox().wait_for("a in");
  EXPECT_THAT(must_queue("add", {"--", "make", "trace", "b"}), HasSubstr("not run yet"));
  gate.open();
  EXPECT_TRUE(start.wait().exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("a in", "a out", "b"));
}

TEST_F(QueueSteerTest, PauseLetsWhatRunsEndAndHoldsTheNext) {
  Gate gate{shop_.sandbox()};
  add_held("a", gate);
  add({"make", "trace", "b"});
  Running start = start_queue();
  shop_.sandbox().wait_for("a in");
  must_queue("pause");
  gate.open();
  ASSERT_TRUE(eventually([&] { return states() == Words{"1 passed", "2 queued"}; }));
  EXPECT_TRUE(start.is_running());
  EXPECT_NE(status().at("paused_wall_ms"), nullptr);
  must_queue("resume");
  const Ended ended = start.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_THAT(ended.err, HasSubstr("queue: paused; `onelane queue resume` goes on"));
  EXPECT_THAT(texts(), ElementsAre("a in", "a out", "b"));
}

TEST_F(QueueSteerTest, StopEndsTheStartBeforeItsNextEntry) {
  EXPECT_TRUE(queue("stop").exited_with(1));
  Gate gate{shop_.sandbox()};
  add_held("a", gate);
  add({"make", "trace", "b"});
  Running start = start_queue();
  shop_.sandbox().wait_for("a in");
  EXPECT_THAT(must_queue("stop"), HasSubstr("1: make trace a in hold-until"));
  gate.open();
  EXPECT_TRUE(start.wait().exited_with(75));
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 queued"));
  EXPECT_EQ(json_of({"runs", "list", "-s", "stopped", "--json"}).at("runs").at(0).at("class"),
            "queue-start");
  EXPECT_TRUE(queue("start").exited_with(0));  // the stop applied to one start only
  EXPECT_THAT(texts(), ElementsAre("a in", "a out", "b"));
}

TEST_F(QueueSteerTest, AClosedQueueTakesNothing) {
  must_queue("close");
  EXPECT_EQ(must_queue("close"), "the queue is closed already\n");
  const Ended refused = queue("add", {"--", "true"});
  EXPECT_TRUE(refused.exited_with(1));
  EXPECT_THAT(refused.err, HasSubstr("closed"));
  EXPECT_EQ(json::parse(must_queue("reopen", {"--json"})).at("closed"), false);
  add({"true"});
}

TEST_F(QueueSteerTest, EntriesAreMovedRemovedAndEdited) {
  for (const char* name : {"a", "b", "c", "d"}) {
    add({"make", "trace", name});
  }
  EXPECT_EQ(must_queue("move", {"4", "1"}), "4: make trace d is 1st in the queue\n");
  EXPECT_EQ(must_queue("remove", {"2"}), "removed 2: make trace b\n");
  const json edited = json::parse(must_queue(
      "edit", {"3", "--priority", "5", "--label", "new", "--json", "--", "make", "trace", "C"}));
  EXPECT_EQ(edited.at("label"), "new");
  EXPECT_EQ(edited.at("options"), json({"--priority", "5"}));
  EXPECT_EQ(edited.at("position"), 3);
  EXPECT_TRUE(queue("remove", {"2"}).exited_with(1));
  EXPECT_TRUE(queue("move", {"9", "1"}).exited_with(1));
  EXPECT_TRUE(queue("start").exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("d", "a", "C"));
  EXPECT_TRUE(queue("edit", {"3", "--label", "late"}).exited_with(1));
  EXPECT_EQ(json::parse(must_queue("clear", {"--json"})).at("removed"), 3);
  EXPECT_THAT(states(), IsEmpty());
}

TEST_F(QueueSteerTest, WhatRunsIsNeitherRemovedNorCleared) {
  Gate gate{shop_.sandbox()};
  add_held("a", gate);
  add({"make", "trace", "b"});
  Running start = start_queue();
  shop_.sandbox().wait_for("a in");
  EXPECT_TRUE(queue("remove", {"1"}).exited_with(1));
  EXPECT_EQ(must_queue("clear"), "removed 1 entry\n");
  gate.open();
  EXPECT_TRUE(start.wait().exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("a in", "a out"));
}

TEST_F(QueueSteerTest, ATermForTheStartAloneEndsWhatRunsAndMarksIt) {
  add({"make", "trace", "a in", "sleep", "60000"});
  add({"make", "trace", "b"});
  Running start = start_queue();
  shop_.sandbox().wait_for("a in");
  start.signal(SIGTERM);
  const Ended ended = start.wait();
  EXPECT_TRUE(ended.died_of(SIGTERM)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(states(), ElementsAre("1 interrupted", "2 queued"));
  EXPECT_THAT(texts(), ElementsAre("a in"));
  const json queue_start = json_of({"runs", "list", "--json"}).at("runs").at(0);
  EXPECT_EQ(queue_start.at("reason"), "signalled");
  EXPECT_EQ(queue_start.at("signal"), SIGTERM);
}

TEST_F(QueueSteerTest, WhatAKilledStartRanIsInterruptedAndRunAgainOnlyWhenAsked) {
  Gate gate{shop_.sandbox()};
  add({"make", "trace", "a"});
  add_held("b", gate);
  add({"make", "trace", "c"});
  Running start = start_queue();
  shop_.sandbox().wait_for("b in");
  start.signal(SIGKILL);
  (void)start.wait();
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 interrupted", "3 queued"));
  // The entry ends with the start, so its end is not recorded.
  ASSERT_TRUE(eventually([&] { return shop_.sandbox().leftovers().empty(); }));
  EXPECT_TRUE(queue("move", {"2", "1"}).exited_with(1));
  gate.open();
  const Ended refused = queue("start");
  EXPECT_TRUE(refused.exited_with(1));
  EXPECT_THAT(refused.err, HasSubstr("onelane queue start --again"));
  EXPECT_THAT(texts(), ElementsAre("a", "b in"));
  EXPECT_THAT(json_of({"runs", "list", "-s", "crashed", "--json"}).at("runs").at(0).at("class"),
              "queue-start");
  EXPECT_TRUE(queue("start", {"--again"}).exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("a", "b in", "b in", "b out", "c"));
}

TEST_F(QueueSteerTest, AtThePipelineTimeoutWhatRunsIsEndedAndTheRestStaysQueued) {
  add({"make", "trace", "a in", "sleep", "60000"});
  add({"make", "trace", "b"});
  const Ended ended = start_queue({"--pipeline-timeout", "1500ms", "--keep-going"}).wait();
  EXPECT_TRUE(ended.exited_with(124)) << describe_status(ended.wait_status) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("sleep 60000: ended by onelane queue (pid "));
  EXPECT_THAT(ended.err, HasSubstr("): its --pipeline-timeout is over\n"));
  EXPECT_THAT(ended.err, Not(HasSubstr("onelane stop")));
  EXPECT_THAT(ended.err, HasSubstr("queue: ended at --pipeline-timeout"));
  EXPECT_EQ(states().back(), "2 queued");
  EXPECT_EQ(json_of({"runs", "list", "--json"}).at("runs").at(0).at("reason"), "pipeline-timeout");
}

TEST_F(QueueSteerTest, ADamagedQueueIsNamedAndReplacedOnlyByClear) {
  add({"true"});
  shop_.write(queue_file(".log"), "{\"schema\":1,");
  for (const char* part : {"status", "start", "pause"}) {
    const Ended ended = queue(part);
    EXPECT_TRUE(ended.exited_with(1)) << part;
    EXPECT_THAT(ended.err, HasSubstr("damaged: `onelane queue clear`"));
  }
  EXPECT_TRUE(queue("add", {"--", "true"}).exited_with(1));
  EXPECT_TRUE(queue("clear").exited_with(0));
  EXPECT_THAT(states(), IsEmpty());
}

TEST_F(QueueSteerTest, AnUnfinishedWriteIsCutOffWithOneLineAndNothingConfirmedIsLost) {
  add({"make", "trace", "a"});
  const std::string whole = shop_.read(queue_file(".log"));
  add({"make", "trace", "b"});
  const std::string both = shop_.read(queue_file(".log"));
  shop_.write(queue_file(".log"), both.substr(0, (whole.size() + both.size()) / 2));
  EXPECT_THAT(states(), ElementsAre("1 queued"));
  const Ended added = queue("add", {"--", "make", "trace", "c"});
  EXPECT_TRUE(added.exited_with(0));
  EXPECT_THAT(added.out, HasSubstr("queued 2: make trace c"));
  EXPECT_EQ(added.err,
            "onelane: queue: the last change was not completed, as after a crash, and is left out; "
            "nothing that was confirmed is lost\n");
  EXPECT_TRUE(queue("start").exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("a", "c"));
}

TEST_F(QueueSteerTest, AQueueOfAnEarlierVersionIsTakenOver) {
  const json entry{{"id", 3},
                   {"argv", {"make", "trace", "old"}},
                   {"cwd", shop_.path()},
                   {"options", json::array()},
                   {"state", "queued"},
                   {"environment", 0}};
  json old{{"schema", 1}, {"next_id", 4}, {"entries", {entry}}};
  old["environments"] = {json::array({"WHO=adder"})};
  shop_.write(queue_file(".json"), old.dump() + "\n");
  ASSERT_EQ(::chmod(shop_.path(queue_file(".json")).c_str(), 0600), 0);
  EXPECT_THAT(states(), ElementsAre("3 queued"));
  add({"make", "trace", "new"});
  EXPECT_THAT(states(), ElementsAre("3 queued", "4 queued"));
  EXPECT_NE(::access(shop_.path(queue_file(".json")).c_str(), F_OK), 0);
}

TEST_F(QueueSteerTest, WhatWasQueuedReachesNoTerminalRaw) {
  add({"true", "\x1b]0;evil\x07", "a\nb"});
  const std::string text = must_queue("status");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("true ?]0;evil? a?b"));
  EXPECT_EQ(must_queue("status", {"--json"}).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace onelane::test
