#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/integration/queue_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

/// `queue start` in a shell on a real terminal.
class QueueTerminalTest : public QueueTest {
 protected:
  QueueTerminalTest() {
    add({"make", "trace", "first"});
    add({"make", "catch", "INT", "trace", "in", "hold-until", gate_.path(), "trace", "out"});
    add({"make", "trace", "third"});
    add({"make", "trace", "fourth"});
  }

  void start() {
    shell_.type(onelane() + " queue start");
    shop_.sandbox().wait_for("in");
  }
  [[nodiscard]] json newest_start() { return json_of({"runs", "list", "--json"}).at("runs").at(0); }

  Gate gate_{shop_.sandbox()};
  Shell shell_{Shell::Kind::Bash, shop_.sandbox().environment(), shop_.path()};
};

TEST_F(QueueTerminalTest, CtrlCEndsTheEntryAndTheStartAndLeavesTheRestQueued) {
  must_queue("edit", {"2", "--", "make", "trace", "in", "sleep", "60000"});
  start();
  shell_.terminal().interrupt();
  shell_.wait_for_prompt();
  EXPECT_EQ(shell_.last_status(), 128 + SIGINT);
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 interrupted", "3 queued", "4 queued"));
  EXPECT_THAT(texts(), ElementsAre("first", "in"));
  const json entry = status().at("entries").at(1);
  EXPECT_EQ(entry.at("code"), 128 + SIGINT);
  const json run = json_of({"runs", "view", entry.at("run"), "--json"});
  EXPECT_EQ(run.at("signal"), SIGINT);
  const json queue_start = newest_start();
  EXPECT_EQ(queue_start.at("id"), entry.at("queue_start"));
  EXPECT_EQ(queue_start.at("reason"), "signalled");
  EXPECT_EQ(queue_start.at("signal"), SIGINT);
  EXPECT_EQ(queue_start.at("jobs").size(), 2U);
  // The interrupted entry must be dealt with first; then the rest goes on in its order.
  EXPECT_TRUE(queue("start").exited_with(1));
  must_queue("remove", {"2"});
  EXPECT_TRUE(queue("start").exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("first", "in", "third", "fourth"));
}

TEST_F(QueueTerminalTest, AnEntryThatOutlivesCtrlCGetsItOnceAndIsWaitedFor) {
  start();
  shell_.terminal().interrupt();
  shop_.sandbox().wait_for("sig INT");
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 running", "3 queued", "4 queued"));
  gate_.open();
  shell_.wait_for_prompt();
  EXPECT_EQ(shell_.last_status(), 128 + SIGINT);
  EXPECT_THAT(texts(), ElementsAre("first", "in", "sig INT", "out"));
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 passed", "3 queued", "4 queued"));
}

TEST_F(QueueTerminalTest, CtrlZStopsAllOfItAndFgGoesOn) {
  start();
  shell_.terminal().suspend();
  shell_.wait_for_prompt();
  EXPECT_EQ(shell_.last_status(), 128 + SIGTSTP);
  EXPECT_THAT(shell_.command("jobs"), HasSubstr("Stopped"));
  gate_.open();
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 running", "3 queued", "4 queued"));
  EXPECT_THAT(texts(), ElementsAre("first", "in"));
  shell_.type("fg");
  shop_.sandbox().wait_for("fourth");
  shell_.wait_for_prompt();
  EXPECT_EQ(shell_.last_status(), 0);
  EXPECT_THAT(texts(), ElementsAre("first", "in", "out", "third", "fourth"));
}

}  // namespace
}  // namespace onelane::test
