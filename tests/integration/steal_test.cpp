// steal, and all steering verbs in a lane that is damaged or another user's.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>

#include "core/lane/record.hpp"
#include "core/sys/process.hpp"
#include "tests/integration/steer_scene.hpp"

namespace onelane::test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class StealTest : public SteerScene {
 protected:
  void expect_stolen(WorkerRun& run) {
    const Ended ended = onelane({"steal", run.id()});
    EXPECT_TRUE(ended.exited_with(0)) << ended.err;
    EXPECT_FALSE(is_alive(run.tool()));
    EXPECT_FALSE(is_alive(run.worker()));
    EXPECT_TRUE(status_of(sandbox_)["holder"].is_null());
  }
  static void stop(pid_t pid) {
    ::kill(pid, SIGSTOP);
    ASSERT_TRUE(eventually([&] { return sys::read_stat(pid)->state == 'T'; }));
  }
  /// The worst that a writer killed half-way leaves.
  void tear(off_t at, std::size_t size) const {
    const int file = ::open(lane_file().c_str(), O_WRONLY | O_CLOEXEC);
    const std::string noise(size, 'x');
    ASSERT_EQ(::pwrite(file, noise.data(), size, at), static_cast<ssize_t>(size));
    ::close(file);
  }
};

TEST_F(StealTest, TheTreeIsEndedAndNamedAndTheNextOneRuns) {
  WorkerRun run{sandbox_, {"ignore", "TERM"}, {"ignore", "TERM"}};
  Running next = queue("next");
  const Ended ended = onelane({"steal", run.id()});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("ended run " + run.id() + " `make ignore TERM spawn"));
  EXPECT_THAT(ended.out, HasSubstr(" (pid " + std::to_string(run.tool()) + ")\n"));
  EXPECT_THAT(ended.out, HasSubstr(" (pid " + std::to_string(run.worker()) + ")\n"));
  EXPECT_FALSE(is_alive(run.tool()));
  EXPECT_FALSE(is_alive(run.worker()));
  const std::string said = run.running().wait().err;
  EXPECT_THAT(said, HasSubstr(", onelane steal)\n"));
  EXPECT_THAT(said, Not(HasSubstr("onelane stop")));
  EXPECT_TRUE(next.wait().exited_with(0));
  EXPECT_EQ(sandbox_.texts().back(), "next");
}

TEST_F(StealTest, NeedsTheIdOfWhatRuns) {
  WorkerRun run{sandbox_, {}};
  Running next = queue("next");
  EXPECT_TRUE(onelane({"steal"}).exited_with(64));
  const Ended wrong = onelane({"steal", "nosuchrunid"});
  EXPECT_TRUE(wrong.exited_with(1));
  EXPECT_THAT(wrong.err, HasSubstr("no run nosuchrunid here; run " + run.id()));
  const Ended waiting = onelane({"steal", id_of("trace next")});
  EXPECT_TRUE(waiting.exited_with(1));
  EXPECT_THAT(waiting.err, HasSubstr("only waits: `onelane cancel "));
  EXPECT_TRUE(is_alive(run.tool()));
  const Ended ended = onelane({"steal", run.id(), "--json"});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  const json said = json::parse(ended.out);
  EXPECT_EQ(said["ended"], json::array({run.id()}));
  EXPECT_EQ(said["processes"].size(), 2U) << said;
  EXPECT_EQ(said["left"], json::array());
  EXPECT_TRUE(next.wait().exited_with(0));
}

TEST_F(StealTest, AStoppedSupervisorIsNoObstacle) {
  WorkerRun run{sandbox_, {}};
  stop(run.supervisor());
  expect_stolen(run);
}

TEST_F(StealTest, NorIsOneThatHangs) {
  WorkerRun run{sandbox_, {}};
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, run.supervisor(), nullptr, nullptr), 0);
  ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, run.supervisor(), nullptr, nullptr), 0);
  ASSERT_TRUE(eventually([&] { return sys::read_stat(run.supervisor())->state == 't'; }));
  Running stealing = sandbox_.start(words_of({"steal", run.id()}));
  const Ended ended = stealing.wait(3 * kDeadline);
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_FALSE(is_alive(run.worker()));
  EXPECT_TRUE(run.running().wait().died_of(SIGKILL));
}

TEST_F(StealTest, NorIsAStoppedGuardianOfAKilledSupervisor) {
  WorkerRun run{sandbox_, {}};
  const pid_t guardian = guardian_of(run.supervisor());
  ASSERT_GT(guardian, 0);
  stop(guardian);
  run.kill_supervisor();
  expect_stolen(run);
  EXPECT_TRUE(eventually([&] { return !is_alive(guardian); }));
}

TEST_F(StealTest, WhatAKilledRunLeftIsEndedToo) {
  WorkerRun run{sandbox_, {"ignore", "TERM"}};
  run.kill_both();
  const Ended ended = onelane({"steal", run.id()});
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr(" (pid " + std::to_string(run.worker()) + ")\n"));
  EXPECT_FALSE(is_alive(run.worker()));
  EXPECT_TRUE(onelane({"steal", run.id()}).exited_with(0));
}

// --- A lane that is damaged --------------------------------------------------------

TEST_F(StealTest, AHalfWrittenEntryHidesNoOther) {
  Holder holder{sandbox_};
  Running a = queue("a");
  Running b = queue("b");
  Running c = queue("c");
  const std::string second = id_of("trace b");
  const std::string third = id_of("trace c");
  tear(lane::kEntriesAt + off_t{1} * off_t{sizeof(lane::Entry)}, sizeof(lane::Entry) / 2);
  EXPECT_TRUE(onelane({"cancel", second}).exited_with(0));
  EXPECT_TRUE(onelane({"bump", third}).exited_with(0));
  EXPECT_TRUE(onelane({"wait", "--timeout", "0"}).exited_with(75));
  EXPECT_TRUE(b.wait().exited_with(75));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_TRUE(c.wait().exited_with(0));
}

TEST_F(StealTest, NorDoesAHalfWrittenHeader) {
  Holder holder{sandbox_};
  Running a = queue("a");
  const std::string id = id_of("trace a");
  const std::string running = status_of(sandbox_)["holder"]["id"];
  tear(0, sizeof(lane::Header) / 2);
  EXPECT_TRUE(onelane({"wait", "--timeout", "0"}).exited_with(75));
  EXPECT_TRUE(onelane({"wait", running, "--timeout", "0"}).exited_with(75));
  EXPECT_TRUE(onelane({"cancel", id}).exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(75));
  EXPECT_TRUE(onelane({"steal", running}).exited_with(0));
  EXPECT_FALSE(holder.release().exited_with(0));
  EXPECT_TRUE(sandbox_.run({"make", "trace", "after"}).exited_with(0));
}

// --- Another user's -----------------------------------------------------------------

TEST_F(StealTest, AStrangerIsToldSoInOneLine) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to be another user";
  }
  Holder holder{sandbox_};
  Running a = queue("a");
  const std::string waiting = id_of("trace a");
  const std::string running = status_of(sandbox_)["holder"]["id"];
  for (const Words& words : {Words{"cancel", waiting}, Words{"bump", waiting}, Words{"hold"},
                             Words{"release"}, Words{"steal", running}, Words{"stop", "--yes"},
                             Words{"stop", running}, Words{"wait"}, Words{"wait", running}}) {
    const Ended ended = as_a_stranger(words);
    EXPECT_TRUE(ended.exited_with(1)) << words[0] << describe_status(ended.wait_status);
    EXPECT_THAT(ended.err, StartsWith("onelane: open ")) << words[0];
    EXPECT_THAT(ended.err, EndsWith("/lane: Permission denied\n")) << words[0];
    EXPECT_EQ(ended.out, "") << words[0];
  }
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
}

TEST_F(StealTest, AStrangerWhoMayReadMayWaitAndNoMore) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "needs root to be another user";
  }
  Holder holder{sandbox_};
  Running a = queue("a");
  const std::string waiting = id_of("trace a");
  const std::string running = status_of(sandbox_)["holder"]["id"];
  ::chmod(lane_file().c_str(), 0644);
  for (const Words& words : {Words{"cancel", waiting}, Words{"bump", waiting}, Words{"hold"},
                             Words{"stop", "--all", "--yes"}}) {
    const Ended ended = as_a_stranger(words);
    EXPECT_TRUE(ended.exited_with(1)) << words[0] << describe_status(ended.wait_status);
    EXPECT_THAT(ended.err, EndsWith("/lane: Permission denied\n")) << words[0];
  }
  for (const char* verb : {"stop", "steal"}) {
    const Ended ended = as_a_stranger({verb, running});
    EXPECT_TRUE(ended.exited_with(1)) << verb << describe_status(ended.wait_status);
    EXPECT_THAT(ended.err, HasSubstr("it belongs to root: only they and root may end it\n"));
  }
  EXPECT_TRUE(as_a_stranger({"wait", running, "--timeout", "0"}).exited_with(75));
  EXPECT_TRUE(as_a_stranger({"wait", "--timeout", "0"}).exited_with(75));
  EXPECT_THAT(as_a_stranger({"release"}).out, HasSubstr(" is not on hold\n"));
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(a.wait().exited_with(0));
  EXPECT_TRUE(as_a_stranger({"wait"}).exited_with(0));
}

}  // namespace
}  // namespace onelane::test
