// COALESCE: a queued call takes the result of an identical one that started after it was queued.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/coalesce_scene.hpp"
#include "tests/support/pty.hpp"

namespace onelane::test {
namespace {

using testing::HasSubstr;

class CoalesceTest : public CoalesceScene {};

TEST_F(CoalesceTest, ThreeIdenticalCallsAreOneRun) {
  const Words call{"make", "trace", "ran",       "out",     "first", "err", "second",
                   "out",  "third", "out-bytes", "5000000", "exit",  "3"};
  Holder holder{sandbox_};
  std::vector<Running> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(enter(call));
  }
  EXPECT_TRUE(holder.release().exited_with(0));
  const Ended first = calls[0].wait();
  EXPECT_TRUE(first.exited_with(3)) << describe_status(first.wait_status);
  EXPECT_GT(first.out.size(), 5'000'000U);
  EXPECT_NE(first.out.find('\0'), std::string::npos);
  EXPECT_THAT(first.err, HasSubstr("second"));
  for (std::size_t i = 1; i < calls.size(); ++i) {
    const Ended other = calls[i].wait();
    EXPECT_EQ(other.wait_status, first.wait_status);
    EXPECT_TRUE(other.out == first.out);
    EXPECT_EQ(other.err, first.err);
  }
  EXPECT_EQ(runs(), 1U);
  const auto records = journal();
  ASSERT_EQ(records.size(), 4U);
  EXPECT_EQ(records[1].count("joined"), 0U);
  for (const std::size_t i : {2U, 3U}) {
    EXPECT_EQ(records[i].value("joined", ""), records[1]["id"]);
    EXPECT_EQ(records[i]["code"], 3);
    EXPECT_EQ(records[i].count("same"), 0U);
  }
}

TEST_F(CoalesceTest, ADeathByAFaultOfItsOwnIsTakenToo) {
  Holder holder{sandbox_};
  Running first = enter({"make", "trace", "ran", "die", "SEGV"});
  Running second = enter({"make", "trace", "ran", "die", "SEGV"});
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(first.wait().died_of(SIGSEGV));
  EXPECT_TRUE(second.wait().died_of(SIGSEGV));
  EXPECT_EQ(runs(), 1U);
}

/// A change to the files while the first call runs, and how often the tool then runs.
struct Change {
  std::string name;
  std::string command;
  std::size_t runs = 2;
};

class ChangeTest : public CoalesceTest, public testing::WithParamInterface<Change> {};

INSTANTIATE_TEST_SUITE_P(
    All, ChangeTest,
    testing::Values(Change{"nothing", "true", 1}, Change{"tracked", "echo two >tracked"},
                    Change{"untracked", "echo new >new"}, Change{"mode", "chmod +x tracked"},
                    Change{"ignored", "echo x >.git/info/exclude; echo two >x", 1},
                    Change{"head", "git commit --quiet --allow-empty -m second"},
                    Change{"staged", "echo two >tracked; git add tracked; echo one >tracked"}),
    [](const auto& each) { return each.param.name; });

TEST_P(ChangeTest, BetweenTheStartsCounts) {
  Gate gate{sandbox_};
  const Words call{"make", "trace", "ran", "hold-until", gate.path(), "out", "done"};
  Holder holder{sandbox_};
  Running first = enter(call);
  Running second = enter(call);
  EXPECT_TRUE(holder.release().exited_with(0));
  sandbox_.wait_for("ran");
  ASSERT_TRUE(
      sandbox_.run({"env", "PATH=/usr/bin:/bin", "sh", "-c", GetParam().command}).exited_with(0));
  gate.open();
  for (Running* each : {&first, &second}) {
    const Ended ended = each->wait();
    EXPECT_TRUE(ended.exited_with(0));
    EXPECT_THAT(ended.out, HasSubstr("done"));
  }
  EXPECT_EQ(runs(), GetParam().runs);
}

TEST_F(CoalesceTest, AnotherEnvironmentDirectoryWordOrInputIsAnotherCall) {
  const Words call{"make", "trace", "ran"};
  ::mkdir(path("below").c_str(), 0755);
  Holder holder{sandbox_};
  std::vector<Running> calls;
  calls.push_back(enter(call));
  sandbox_.set_environment("CFLAGS", "-O2");
  calls.push_back(enter(call));
  sandbox_.set_environment("CFLAGS", std::nullopt);
  Start how;
  how.directory = path("below");
  calls.push_back(enter(call, how));
  calls.push_back(enter({"make", "trace", "ran", "out", "x"}));
  Start piped;
  piped.standard_input = Stream::SocketPair;
  calls.push_back(enter(call, piped));
  Start silent;
  silent.standard_output = Stream::Null;
  calls.push_back(enter(call, silent));
  EXPECT_TRUE(holder.release().exited_with(0));
  for (Running& each : calls) {
    EXPECT_TRUE(each.wait().exited_with(0));
  }
  EXPECT_EQ(runs(), calls.size());
}

TEST_F(CoalesceTest, VariablesOfASessionMakeNoOtherCall) {
  Holder holder{sandbox_};
  sandbox_.set_environment("SSH_CONNECTION", "here");
  Running first = enter({"make", "trace", "ran"});
  sandbox_.set_environment("SSH_CONNECTION", "there");
  sandbox_.set_environment("SHLVL", "7");
  Running second = enter({"make", "trace", "ran"});
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(first.wait().exited_with(0));
  EXPECT_TRUE(second.wait().exited_with(0));
  EXPECT_EQ(runs(), 1U);
}

TEST_F(CoalesceTest, WhatAnotherRunInBetweenDidCounts) {
  Holder holder{sandbox_};
  Running first = enter({"make", "trace", "ran"});
  Running clean = enter({"make", "trace", "cleaned"});
  Running second = enter({"make", "trace", "ran"});
  Running third = enter({"make", "trace", "ran"});
  EXPECT_TRUE(holder.release().exited_with(0));
  for (Running* each : {&first, &clean, &second, &third}) {
    EXPECT_TRUE(each->wait().exited_with(0));
  }
  EXPECT_EQ(runs(), 2U) << "the third takes the second's result, that one not the first's";
}

TEST_F(CoalesceTest, OneThatWritesToAFileWritesThereItself) {
  Start to_file;
  to_file.standard_output = Stream::Inherited;
  to_file.before_exec = [file = path("../log")] {
    ::dup2(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 1);
  };
  Holder holder{sandbox_};
  Running first = enter({"make", "trace", "ran", "out", "text"}, to_file);
  Running second = enter({"make", "trace", "ran", "out", "text"}, to_file);
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_TRUE(first.wait().exited_with(0));
  EXPECT_TRUE(second.wait().exited_with(0));
  EXPECT_EQ(runs(), 2U);
  EXPECT_EQ(contents_of(path("../log")), "text\ntext\n");
}

TEST_F(CoalesceTest, OneThatRunsAlreadyIsNeverJoined) {
  Gate gate{sandbox_};
  const Words call{"make", "trace", "ran", "hold-until", gate.path()};
  Running first = sandbox_.start(call);
  sandbox_.wait_for("ran");
  Running second = enter(call);
  Running third = enter(call);
  gate.open();
  for (Running* each : {&first, &second, &third}) {
    EXPECT_TRUE(each->wait().exited_with(0));
  }
  EXPECT_EQ(runs(), 2U);  // the third has waited longer than the second ran
}

class EndedTest : public CoalesceTest, public testing::WithParamInterface<std::string> {};

INSTANTIATE_TEST_SUITE_P(All, EndedTest,
                         testing::Values("supervisor", "tool", "interrupted", "stopped"),
                         [](const auto& each) { return each.param; });

TEST_P(EndedTest, ByOthersIsNotShared) {
  Gate gate{sandbox_};
  const Words call{"make", "trace", "ran", "hold-until", gate.path()};
  Holder holder{sandbox_};
  Running first = enter(call);
  Running second = enter(call);
  EXPECT_TRUE(holder.release().exited_with(0));
  const pid_t tool = sandbox_.wait_for("ran").pid;
  if (GetParam() == "supervisor") {
    first.signal(SIGKILL);
  } else if (GetParam() == "tool") {
    ::kill(tool, SIGKILL);
  } else if (GetParam() == "interrupted") {
    first.signal(SIGINT);
  } else {
    EXPECT_TRUE(onelane({"stop", status_of(sandbox_)["holder"]["id"]}).exited_with(0));
  }
  (void)first.wait();
  sandbox_.wait_for("ran", 2);
  gate.open();
  EXPECT_TRUE(second.wait().exited_with(0));
}

TEST_F(CoalesceTest, ARunThatALimitEndedIsNotShared) {
  sandbox_.set_environment("ONELANE_TIMEOUT", "500ms");
  Gate gate{sandbox_};
  const Words call{"make", "trace", "ran", "hold-until", gate.path()};
  Holder holder{sandbox_};
  Running first = enter(call);
  Running second = enter(call);
  (void)holder.release();
  EXPECT_TRUE(first.wait().exited_with(124));
  sandbox_.wait_for("ran", 2);
  gate.open();
  (void)second.wait();
  EXPECT_EQ(runs(), 2U);
}

TEST_F(CoalesceTest, TooMuchOutputIsNotKept) {
  const Words call{"make", "trace", "ran", "out-bytes", "9000000"};
  Holder holder{sandbox_};
  Running first = enter(call);
  Running second = enter(call);
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_EQ(first.wait().out.size(), 9'000'000U);
  EXPECT_EQ(second.wait().out.size(), 9'000'000U);
  EXPECT_EQ(runs(), 2U);
}

TEST_F(CoalesceTest, ACallThatDoesNotReadDelaysNoOther) {
  const Words call{"make", "trace", "ran", "out-bytes", "5000000"};
  Holder holder{sandbox_};
  Running first = enter(call);
  Running slow = enter(call);
  Running last = enter({"make", "trace", "last"});
  EXPECT_TRUE(holder.release().exited_with(0));
  EXPECT_EQ(first.wait().out.size(), 5'000'000U);
  EXPECT_TRUE(last.wait().exited_with(0));
  EXPECT_TRUE(slow.is_running());
  EXPECT_EQ(slow.wait().out.size(), 5'000'000U);
  EXPECT_EQ(runs(), 1U);
}

TEST_F(CoalesceTest, OnTerminalsTheToolHasOneAndBothShowTheSame) {
  sandbox_.use_real("make");
  write("Makefile",
        "check:\n\t@echo 1 1 ran >>$$TRACE; test -t 1 && test -t 2 && echo is a tty; "
        "stty size <&1; exit 4\n");
  Holder holder{sandbox_};
  const auto start = [&](std::size_t expected) {
    auto terminal = std::make_unique<Terminal>(Words{sandbox_.shims() + "/make", "check"},
                                               sandbox_.environment(), sandbox_.project());
    EXPECT_TRUE(comes_to_queue(sandbox_, expected));
    return terminal;
  };
  const auto first = start(1);
  const auto second = start(2);
  EXPECT_TRUE(holder.release().exited_with(0));
  for (Terminal* each : {first.get(), second.get()}) {
    each->expect("is a tty\r\n");
    each->expect("24 80\r\n");
    const int status = each->wait();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 2) << describe_status(status);
  }
  EXPECT_EQ(runs(), 1U);
}

TEST_F(CoalesceTest, WhatGoesToOnePlaceStaysInItsOrder) {
  const Words call{"sh", "-c",
                   "exec make trace ran out 1 err 2 out 3 err 4 out 5 err 6 out 7 err 8 2>&1"};
  Holder holder{sandbox_};
  Running first = enter(call);
  Running second = enter(call);
  EXPECT_TRUE(holder.release().exited_with(0));
  const std::string out = first.wait().out;
  EXPECT_EQ(out, "1\n2\n3\n4\n5\n6\n7\n8\n");
  EXPECT_EQ(second.wait().out, out);
  EXPECT_EQ(runs(), 1U);
}

}  // namespace
}  // namespace onelane::test
