#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/integration/queue_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(QueueTest, AddingRunsNothingAndSaysSo) {
  EXPECT_EQ(must_queue("add", {"--", "make", "trace", "a"}),
            "queued 1: make trace a (not run yet; \"onelane queue start\" runs it)\n");
  const json added =
      json::parse(must_queue("add", {"--json", "--label", "second", "--", "make", "trace", "b"}));
  EXPECT_EQ(added.at("schema"), 1);
  EXPECT_EQ(added.at("id"), 2);
  EXPECT_EQ(added.at("position"), 2);
  EXPECT_EQ(added.at("state"), "queued");
  EXPECT_EQ(added.at("label"), "second");
  EXPECT_THAT(texts(), IsEmpty());
  EXPECT_THAT(states(), ElementsAre("1 queued", "2 queued"));
  EXPECT_THAT(shop_.must({"queue"}).out, HasSubstr("2 queued; not running"));
}

TEST_F(QueueTest, EntriesRunInOrderEachAsARunOfTheStart) {
  must_queue("add", {"--label", "first", "--", "make", "trace", "a"});
  add({"pytest", "trace", "b"});
  add({"make", "trace", "c"});
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(texts(), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ended.err, HasSubstr("onelane: queue: 2 of 3: pytest trace b\n"));
  EXPECT_THAT(ended.err, HasSubstr("onelane: queue: 3 passed (queue start "));
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 passed", "3 passed"));
  const json runs = json_of({"runs", "list", "--json"}).at("runs");
  ASSERT_EQ(runs.size(), 4U);  // newest first
  const json& queue_start = runs.at(0);
  EXPECT_EQ(queue_start.at("class"), "queue-start");
  EXPECT_EQ(queue_start.at("tool"), "queue");
  EXPECT_EQ(queue_start.at("code"), 0);
  EXPECT_EQ(queue_start.at("command"), "onelane queue start (3 jobs)");
  EXPECT_EQ(queue_start.at("jobs"),
            json({runs.at(3).at("id"), runs.at(2).at("id"), runs.at(1).at("id")}));
  EXPECT_EQ(runs.at(3).at("label"), "first");
  for (const std::size_t i : {1U, 2U, 3U}) {
    EXPECT_EQ(runs.at(i).at("queue_start"), queue_start.at("id"));
  }
  EXPECT_EQ(status().at("entries").at(0).at("run"), runs.at(3).at("id"));
}

TEST_F(QueueTest, RunsViewShowsTheJobsOfAQueueStart) {
  add({"make", "trace", "a"});
  add({"make", "exit", "3"});
  const json report = json::parse(queue("start", {"--json"}).out);
  const std::string id = report.at("queue_start");
  const std::string page = shop_.must({"runs", "view", id}).out;
  EXPECT_THAT(page, HasSubstr("class:       queue-start\n"));
  EXPECT_THAT(page, HasSubstr("  ok  "));
  EXPECT_THAT(page, HasSubstr("  exit 3  "));
  EXPECT_THAT(page, Not(HasSubstr("tree:")));
  const json view = json_of({"runs", "view", id, "--json"});
  EXPECT_EQ(view.at("runs").size(), 2U);
  EXPECT_EQ(view.at("runs").at(1).at("code"), 3);
  EXPECT_EQ(view.at("code"), 3);
  EXPECT_THAT(shop_.must({"runs", "view", view.at("jobs").at(0)}).out,
              HasSubstr("queue start: " + id));
}

TEST_F(QueueTest, AJournalThatSaysBatchIsStillUnderstood) {
  add({"make", "trace", "a"});
  const std::string id = json::parse(queue("start", {"--json"}).out).at("queue_start");
  const std::string journal = ".git/onelane/runs.jsonl";
  std::string text = shop_.read(journal);
  for (const std::string now : {R"("queue_start")", R"("queue-start")"}) {
    ASSERT_NE(text.find(now), std::string::npos) << now;
    text.replace(text.find(now), now.size(), R"("batch")");
  }
  shop_.write(journal, text);
  EXPECT_THAT(shop_.must({"runs", "view", id}).out, HasSubstr("class:       queue-start\n"));
  EXPECT_EQ(json_of({"runs", "view", id, "--json"}).at("runs").size(), 1U);
  EXPECT_EQ(json_of({"stats", "--json"}).at("runs"), 1);
}

TEST_F(QueueTest, AQueueStartIsCountedAsNoRun) {
  add({"make", "trace", "a"});
  add({"make", "trace", "b"});
  EXPECT_TRUE(queue("start").exited_with(0));
  EXPECT_EQ(json_of({"stats", "--json"}).at("runs"), 2);
  EXPECT_THAT(shop_.must({"report"}).out, Not(HasSubstr("queue start")));
}

TEST_F(QueueTest, TheFirstFailureEndsItAndLaterEntriesStayQueued) {
  add({"make", "trace", "a"});
  add({"make", "exit", "7"});
  add({"make", "trace", "c"});
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(7)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("queue: 1 passed, 1 failed, 1 not started"));
  EXPECT_THAT(states(), ElementsAre("1 passed", "2 failed", "3 queued"));
  EXPECT_TRUE(queue("start").exited_with(0));
  EXPECT_THAT(texts(), ElementsAre("a", "c"));
  EXPECT_THAT(states(), ElementsAre("3 passed"));
}

TEST_F(QueueTest, KeepGoingRunsAllAndGivesTheWorstCode) {
  add({"make", "exit", "3"});
  add({"make", "exit", "9"});
  add({"make", "exit", "2"});
  add({"make", "trace", "last"});
  EXPECT_TRUE(queue("start", {"--keep-going"}).exited_with(9));
  EXPECT_THAT(texts(), ElementsAre("last"));
  EXPECT_THAT(states(), ElementsAre("1 failed", "2 failed", "3 failed", "4 passed"));
}

TEST_F(QueueTest, AnEntryRunsInTheDirectoryAndEnvironmentOfItsAdd) {
  const std::string below = shop_.path("below dir");
  std::filesystem::create_directory(below);
  const Words print{"sh", "-c", R"(echo "$PWD|$(pwd)|$WHO|$TERM|$ONELANE_QUEUE_START|$1")", "sh",
                    "a\nb"};
  Words words{"queue", "add", "--label", "x", "--"};
  words.insert(words.end(), print.begin(), print.end());
  shop_.sandbox().set_environment("WHO", "adder");
  shop_.sandbox().set_environment("TERM", "old");
  ASSERT_TRUE(shop_.onelane(words, below).exited_with(0));
  shop_.sandbox().set_environment("WHO", "starter");
  shop_.sandbox().set_environment("TERM", "new");
  EXPECT_EQ(queue("start").out, below + "|" + below + "|adder|new||a\nb\n");
}

TEST_F(QueueTest, TheToolOfAnEntryFindsWhatThatOfARunFinds) {
  for (const char* probe : {"print-fds", "print-limits", "print-signals"}) {
    add({"make", probe});
    EXPECT_EQ(queue("start").out, shop_.must({"run", "--", "make", probe}).out) << probe;
  }
}

TEST_F(QueueTest, AStartOutlivesWhateverAnEntryDoesToItsRun) {
  add({"sh", "-c", "kill -9 $PPID"});
  add({"sh", "-c", "kill -9 $$"});
  add({"sh", "-c", "exec 0<&- 1>&- 2>&-; ulimit -n 20; ulimit -f 0; umask 777; cd /"});
  add({"make", "trace", "last"});
  const Ended ended = queue("start", {"--keep-going"});
  EXPECT_TRUE(ended.exited_with(128 + SIGKILL)) << ended.err;
  EXPECT_THAT(states(), ElementsAre("1 failed", "2 failed", "3 passed", "4 passed"));
  EXPECT_THAT(texts(), ElementsAre("last"));
}

TEST_F(QueueTest, ItsFilesAreForTheOwnerAloneAndForgetTheEnvironmentOfWhatHasEnded) {
  shop_.sandbox().set_environment("TOKEN", "very-secret-value");
  add({"make", "trace", "a"});
  const std::string state = shop_.path(".git/onelane/");
  const std::string file = "queue-" + std::to_string(::geteuid());
  for (const char* suffix : {".log", ".lock"}) {
    struct stat info {};
    ASSERT_EQ(::stat((state + file + suffix).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777U, 0600U);
  }
  EXPECT_THAT(shop_.read(".git/onelane/" + file + ".log"), HasSubstr("very-secret-value"));
  EXPECT_THAT(must_queue("status", {"--json"}), Not(HasSubstr("very-secret-value")));
  EXPECT_TRUE(queue("start").exited_with(0));
  EXPECT_THAT(shop_.read(".git/onelane/" + file + ".log"), Not(HasSubstr("very-secret-value")));
}

TEST_F(QueueTest, ManyAddersAtOnceLoseNothing) {
  std::vector<Running> adders;
  for (int i = 0; i < 12; ++i) {
    adders.push_back(shop_.start({onelane(), "queue", "add", "--", "true", std::to_string(i)}));
  }
  for (Running& adder : adders) {
    EXPECT_TRUE(adder.wait().exited_with(0));
  }
  const Words all = states();
  ASSERT_EQ(all.size(), 12U);
  EXPECT_EQ(all.back(), "12 queued");
}

TEST_F(QueueTest, WhatCannotBeStartedHasFailed) {
  const std::string below = shop_.path("below");
  std::filesystem::create_directory(below);
  ASSERT_TRUE(shop_.onelane({"queue", "add", "--", "true"}, below).exited_with(0));
  std::filesystem::remove(below);
  add({"no-such-command"});
  const Ended ended = queue("start", {"--keep-going"});
  EXPECT_TRUE(ended.exited_with(127)) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("could not be started in " + below));
  EXPECT_THAT(states(), ElementsAre("1 failed", "2 failed"));
}

TEST_F(QueueTest, AnEmptyQueueSaysThatNothingWasRun) {
  const Ended ended = queue("start");
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.err, "onelane: the queue is empty: nothing was run\n");
  EXPECT_THAT(json_of({"runs", "list", "--json"}).at("runs"), IsEmpty());
}

TEST_F(QueueTest, JsonKeepsItsStandardOutputForItself) {
  add({"sh", "-c", "echo loud"});
  const Ended ended = queue("start", {"--json"});
  const json report = json::parse(ended.out);
  EXPECT_EQ(report.at("schema"), 1);
  EXPECT_EQ(report.at("code"), 0);
  EXPECT_EQ(report.at("reason"), "exited");
  EXPECT_EQ(report.at("left"), 0);
  EXPECT_EQ(report.at("entries").at(0).at("state"), "passed");
  EXPECT_THAT(ended.err, HasSubstr("loud\n"));
}

TEST_F(QueueTest, InCiAnEntryIsRefusedWhileTheQueueIsNotRunning) {
  shop_.sandbox().set_environment("CI", "true");
  const Ended refused = queue("add", {"--", "make", "trace", "a"});
  EXPECT_TRUE(refused.exited_with(64));
  EXPECT_THAT(refused.err, StartsWith("onelane: onelane queue add: this is CI"));
  EXPECT_EQ(lines_of(refused.err).size(), 1U);
  EXPECT_THAT(states(), IsEmpty());
  EXPECT_THAT(must_queue("add", {"--deferred", "--", "make", "trace", "b"}),
              HasSubstr("not run yet"));
  EXPECT_EQ(status().at("entries").at(0).at("deferred"), true);
  // A start that goes on runs what is added, and then needs no --deferred.
  Running start = start_queue({"--until-closed"});
  shop_.sandbox().wait_for("b");
  EXPECT_THAT(must_queue("add", {"--", "make", "trace", "c"}),
              HasSubstr("the queue start in progress runs it"));
  shop_.sandbox().wait_for("c");
  must_queue("close");
  EXPECT_TRUE(start.wait().exited_with(0));
  must_queue("reopen");
  EXPECT_TRUE(queue("add", {"--", "true"}).exited_with(64));
}

TEST_F(QueueTest, AStartUntilClosedSaysThatAClosedQueueWasEmpty) {
  must_queue("close");
  const Ended ended = queue("start", {"--until-closed"});
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_EQ(ended.err, "onelane: queue: closed and empty; nothing was run\n");
}

TEST_F(QueueTest, BadUsageIsRefusedBeforeAnythingIsQueued) {
  for (const Words& words :
       {Words{"add"}, Words{"add", "--"}, Words{"add", "--timeout", "soon", "x"},
        Words{"add", "--retry", "-1", "x"}, Words{"add", "--retry", "1001", "x"},
        Words{"add", "--kill-signal", "SOON", "x"}, Words{"add", "--nonsense", "x"},
        Words{"start", "--pipeline-timeout", "soon"}, Words{"move", "1", "0"}, Words{"remove"},
        Words{"edit", "1"}, Words{"dance"}}) {
    EXPECT_TRUE(queue(words.front(), {words.begin() + 1, words.end()}).exited_with(64))
        << testing::PrintToString(words);
  }
  EXPECT_THAT(states(), IsEmpty());
}

TEST(QueueElsewhereTest, WithoutAProjectThereIsNoQueue) {
  Workplace shop;
  for (const char* part : {"status", "start", "pause", "clear"}) {
    const Ended ended = shop.onelane({"queue", part});
    EXPECT_TRUE(ended.exited_with(1)) << part;
    EXPECT_THAT(ended.err, HasSubstr("adopted"));
  }
}

}  // namespace
}  // namespace onelane::test
