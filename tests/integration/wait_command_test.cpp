#include <signal.h>

#include "core/sys/process.hpp"
#include "tests/integration/steer_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class WaitCommandTest : public SteerScene {
 protected:
  WaitCommandTest() { sandbox_.add_plain_tool("probe"); }

  /// `onelane wait WORDS`, asleep by the time this returns; traces `text` after its end.
  Running start_wait(const std::string& words, const std::string& text) {
    Running waiting = sandbox_.start(
        {"bash", "-c", onelane_of(sandbox_) + " wait " + words + "; probe trace " + text});
    EXPECT_TRUE(eventually([&] {
      const auto below = sys::descendants_of(waiting.pid());
      return !below.empty() && below[0].threads == 2;
    }));
    return waiting;
  }
  /// The id of a run of `words` that has ended.
  std::string id_of_ended(const Words& words) {
    (void)sandbox_.run(words);
    const std::string journal = contents_of(sandbox_.project() + "/.git/onelane/runs.jsonl");
    const std::size_t last = journal.rfind('\n', journal.size() - 2);
    return json::parse(journal.substr(last == std::string::npos ? 0 : last + 1))["id"];
  }
  static std::string switches_of(pid_t pid) {
    const std::string status = contents_of("/proc/" + std::to_string(pid) + "/status");
    return status.substr(status.find("voluntary_ctxt_switches"));
  }
};

TEST_F(WaitCommandTest, AFreeLaneIsNotWaitedFor) {
  EXPECT_EQ(onelane({"wait"}).out, "the lane is free\n");
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  const Ended ended = onelane({"wait", "--json"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(json::parse(ended.out)["state"], "free");
}

TEST_F(WaitCommandTest, TheLaneIsFreeWhenNoCallHoldsItOrWaits) {
  Holder holder{sandbox_};
  Running a = queue("a");
  Running waiting = start_wait("", "free");
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
  EXPECT_THAT(sandbox_.texts(), ElementsAre("holder in", "holder out", "a", "free"));
}

TEST_F(WaitCommandTest, WithAnIdOnlyThatRunCounts) {
  Holder holder{sandbox_};
  Gate gate{sandbox_, "second"};
  Running second = sandbox_.start({"make", "trace", "in", "hold-until", gate.path()});
  ASSERT_TRUE(comes_to_queue(sandbox_, 1));
  Running waiting = start_wait(status_of(sandbox_)["holder"]["id"], "over");
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended ended = waiting.wait();
  EXPECT_TRUE(ended.exited_with(0));
  EXPECT_THAT(ended.out, HasSubstr(" has ended: exit 0, after "));
  EXPECT_TRUE(second.is_running());
  gate.open();
  EXPECT_TRUE(second.wait().exited_with(0));
}

TEST_F(WaitCommandTest, ItSleeps) {
  Holder holder{sandbox_};
  Running waiting = start_wait("", "free");
  const pid_t pid = sys::descendants_of(waiting.pid()).at(0).id.pid;
  // Asleep for good, not on its way there.
  std::string before;
  ASSERT_TRUE(eventually([&] {
    before = switches_of(pid);
    ::usleep(100'000);
    return sys::read_stat(pid)->state == 'S' && switches_of(pid) == before;
  }));
  ::usleep(1'500'000);  // nothing may happen in this time
  EXPECT_EQ(switches_of(pid), before);
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(waiting.wait().exited_with(0));
}

TEST_F(WaitCommandTest, TheExitStatusIsThatOfTheRun) {
  const std::string three = id_of_ended({"make", "exit", "3"});
  EXPECT_TRUE(onelane({"wait", three}).exited_with(0));
  EXPECT_TRUE(onelane({"wait", three, "--exit-status"}).exited_with(3));
  const std::string killed = id_of_ended({"make", "die", "TERM"});
  const Ended ended = onelane({"wait", killed, "--exit-status", "--json"});
  EXPECT_TRUE(ended.exited_with(128 + SIGTERM));
  const json said = json::parse(ended.out);
  EXPECT_EQ(said["state"], "ended");
  EXPECT_EQ(said["signal"], SIGTERM);
  EXPECT_EQ(said["reason"], "signalled");
  // Also for a run that has not ended yet.
  Gate gate{sandbox_};
  Running run = sandbox_.start({"make", "trace", "in", "hold-until", gate.path(), "exit", "7"});
  sandbox_.wait_for("in");
  const std::string id = status_of(sandbox_)["holder"]["id"];
  Running waiting = sandbox_.start(words_of({"wait", id, "--exit-status"}));
  gate.open();
  EXPECT_TRUE(waiting.wait().exited_with(7));
  EXPECT_TRUE(run.wait().exited_with(7));
}

TEST_F(WaitCommandTest, WrongWordsAndIdsEndAtOnce) {
  Holder holder{sandbox_};
  const Ended unknown = onelane({"wait", "nosuchrunid"});
  EXPECT_TRUE(unknown.exited_with(1));
  EXPECT_THAT(unknown.err,
              HasSubstr("no run nosuchrunid here, unless it left the queue unrun; run "));
  EXPECT_TRUE(onelane({"wait", "--timeout", "soon"}).exited_with(64));
  EXPECT_TRUE(onelane({"wait", "--exit-status"}).exited_with(64));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(WaitCommandTest, ATimeoutEndsWith75) {
  Holder holder{sandbox_};
  const std::string id = status_of(sandbox_)["holder"]["id"];
  const Ended lane = onelane({"wait", "--timeout", "200ms"});
  EXPECT_TRUE(lane.exited_with(75));
  EXPECT_THAT(lane.err, HasSubstr("gave up after 0.2s; run " + id));
  const Ended run = onelane({"wait", id, "--timeout", "200ms", "--json"});
  EXPECT_TRUE(run.exited_with(75));
  EXPECT_EQ(json::parse(run.out)["state"], "timeout");
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(WaitCommandTest, ATicketThatLeavesIsOverToo) {
  Holder holder{sandbox_};
  Running a = queue("a");
  const std::string id = id_of("trace a");
  Running plain = start_wait(id, "over");
  Running strict = sandbox_.start(words_of({"wait", id, "--exit-status"}));
  ASSERT_TRUE(eventually([&] { return sys::read_stat(strict.pid())->threads == 2; }));
  EXPECT_TRUE(onelane({"cancel", id}).exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(75));
  EXPECT_THAT(plain.wait().out, HasSubstr("`make trace a` has left the queue\n"));
  EXPECT_TRUE(strict.wait().exited_with(75));
  // A later caller gets the answer that the help describes.
  EXPECT_TRUE(onelane({"wait", id, "--exit-status"}).exited_with(1));
  EXPECT_THAT(onelane({"wait", "--help"}).out, HasSubstr("unrun before is not"));
  EXPECT_TRUE(holder.release().exited_with(0));
}

TEST_F(WaitCommandTest, OneThatWasKilledInTheQueueHasLeftItAndNotEnded) {
  Holder holder{sandbox_};
  Running a = queue("a");
  const std::string id = id_of("trace a");
  a.signal(SIGKILL);
  EXPECT_TRUE(a.wait().died_of(SIGKILL));
  const Ended ended = onelane({"wait", id});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.out, "run " + id + " `make trace a` has left the queue\n");
  EXPECT_TRUE(onelane({"wait", id, "--exit-status"}).exited_with(75));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(sandbox_.run({"make", "exit", "0"}).exited_with(0));
  const Ended later = onelane({"wait", id});  // by now another call has its place
  EXPECT_TRUE(later.exited_with(1));
  EXPECT_THAT(later.err, HasSubstr("no run " + id + " here, unless it left the queue unrun; "));
}

TEST_F(WaitCommandTest, AKilledSupervisorsRunEndsWithItsGuardian) {
  WorkerRun run{sandbox_, {"ignore", "TERM"}};
  Running waiting = start_wait(run.id(), "over");
  run.kill_supervisor();
  const Ended ended = waiting.wait();
  EXPECT_THAT(ended.out, HasSubstr(" has ended: crashed, after "));
  EXPECT_THAT(ended.out, Not(HasSubstr("after 0.0s")));  // it was given KILL_TIMEOUT
  EXPECT_FALSE(is_alive(run.worker()));
}

TEST_F(WaitCommandTest, WithBothKilledTheKernelTellsAlthoughNothingIsWritten) {
  sandbox_.forgive_leftovers();
  WorkerRun run{sandbox_, {}};
  Running lane = start_wait("", "free");
  Running strict = sandbox_.start(words_of({"wait", run.id(), "--exit-status"}));
  ASSERT_TRUE(eventually([&] { return sys::read_stat(strict.pid())->threads == 2; }));
  run.kill_both();
  EXPECT_TRUE(lane.wait().exited_with(0));
  const Ended ended = strict.wait();
  EXPECT_TRUE(ended.exited_with(1));
  EXPECT_THAT(ended.out, HasSubstr(" has ended; no record of it\n"));
  EXPECT_TRUE(onelane({"wait", run.id()}).exited_with(0));
}

TEST_F(WaitCommandTest, FromInsideTheRunItRefuses) {
  Words argv{"make", "call"};
  const Words words = words_of({"wait"});
  argv.insert(argv.end(), words.begin(), words.end());
  argv.emplace_back("end");
  const Ended ended = sandbox_.run(argv);
  EXPECT_TRUE(ended.exited_with(1)) << describe_status(ended.wait_status);
  EXPECT_THAT(ended.err, HasSubstr("it would wait for itself"));
}

}  // namespace
}  // namespace onelane::test
