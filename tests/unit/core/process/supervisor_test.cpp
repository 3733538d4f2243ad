#include "core/process/supervisor.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace onelane::process {
namespace {

using namespace std::chrono_literals;

/// Judges as the test says, and prints every notice on standard error.
class TestJudge : public Judge {
 public:
  explicit TestJudge(const std::function<Judgement(const Scene&)>& judge) : judge_{judge} {}
  [[nodiscard]] Judgement judge(const Scene& scene) noexcept override {
    return judge_ ? judge_(scene) : Judgement{};
  }
  void note_stop(const Signals::Arrived& order) noexcept override {
    const std::string_view text = order.cause == StopCause::Stolen ? "stolen\n" : "another order\n";
    (void)!::write(2, text.data(), text.size());
  }
  void say(const std::string& line) noexcept override {
    const std::string text = "notice: " + line + "\n";
    (void)!::write(2, text.data(), text.size());
  }

 private:
  const std::function<Judgement(const Scene&)>& judge_;
};

/// Runs `script` with /bin/sh under a Supervisor, in a child process that ends like the tool.
class SupervisorTest : public ::testing::Test {
 protected:
  struct Result {
    int status = 0;
    std::string said;  ///< Notices and the script's own standard error.
    std::chrono::milliseconds took{};
  };

  pid_t start(const std::string& script, int error_fd) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::dup2(error_fd, with_grep_ ? 1 : 2);
      supervise(script);
    }
    return pid;
  }

  Result run(const std::string& script) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const auto before = std::chrono::steady_clock::now();
    const pid_t pid = start(script, ends[1]);
    ::close(ends[1]);
    Result result;
    ::waitpid(pid, &result.status, 0);
    result.took = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - before);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    char buffer[4096];
    const ssize_t got = ::read(ends[0], buffer, sizeof buffer);
    result.said.assign(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
    ::close(ends[0]);
    return result;
  }

  [[noreturn]] void supervise(const std::string& script) {
    const Signals signals;
    const char* shell[] = {"sh", "-c", script.c_str(), nullptr};
    const char* grep[] = {"grep", "SigIgn", "/proc/self/status", nullptr};
    process::Run run = run_;
    run.run_id = "testrunaaaa";
    run.name = "script";
    run.traits = traits_of_self(signals);
    TestJudge judge{judge_};
    Outcome outcome;
    {
      Supervisor supervisor{run, signals, judge};
      outcome.launch_error = supervisor.launch(
          {with_grep_ ? "/bin/grep" : "/bin/sh", with_grep_ ? grep : shell, environ});
      if (outcome.launch_error == 0) {
        if (supervisor.outlives(5ms)) {
          supervisor.start_guardian();
        }
        supervisor.wait();
        outcome = supervisor.settle();
        supervisor.say_kept();
        supervisor.tell_guardian();
        supervisor.dismiss_guardian();
      }
    }
    if (outcome.launch_error != 0 || outcome.ended_by_order) {
      ::_exit(outcome.ended_by_order ? 124 : 127);
    }
    mirror(outcome.wait_status);
  }

  process::Run run_;
  std::function<Judgement(const Scene&)> judge_;
  bool with_grep_ = false;
};

TEST_F(SupervisorTest, EveryExitCodeIsMirrored) {
  for (int code = 0; code < 256; code += 15) {
    const Result result = run("exit " + std::to_string(code));
    ASSERT_TRUE(WIFEXITED(result.status));
    EXPECT_EQ(WEXITSTATUS(result.status), code);
    EXPECT_EQ(result.said, "");
  }
}

TEST_F(SupervisorTest, DeathBySignalIsMirrored) {
  for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGSEGV, SIGTERM, SIGUSR1}) {
    const Result result = run("kill -" + std::to_string(signal) + " $$");
    ASSERT_TRUE(WIFSIGNALED(result.status)) << signal;
    EXPECT_EQ(WTERMSIG(result.status), signal);
  }
}

TEST_F(SupervisorTest, ASignalToTheSupervisorAloneReachesTheTool) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t pid =
      start("trap 'exit 7' USR1; echo ready >&2; while :; do sleep 0.01; done", ends[1]);
  char byte = 0;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  ::kill(pid, SIGUSR1);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(SupervisorTest, ASignalToTheWholeGroupReachesTheToolOnce) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t leader = ::fork();
  if (leader == 0) {
    ::setpgid(0, 0);
    ::dup2(ends[1], 2);
    supervise(
        "n=0; trap 'n=$((n+1)); echo got >&2' USR1; trap 'exit $n' TERM;"
        "echo ready >&2; while :; do sleep 0.01; done");
  }
  char text[64] = {};
  ASSERT_GT(::read(ends[0], text, 6), 0);
  ::kill(-leader, SIGUSR1);
  ASSERT_GT(::read(ends[0], text, sizeof text), 0);
  ::kill(leader, SIGTERM);
  int status = 0;
  ::waitpid(leader, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(SupervisorTest, ADetachedDaemonLivesOnAndCostsNoDelay) {
  run_.linger = 5s;
  const Result result = run("setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $! >&2");
  EXPECT_EQ(result.status, 0);
  EXPECT_LT(result.took, 1500ms);
  EXPECT_NE(result.said.find("left running"), std::string::npos) << result.said;
  const pid_t daemon = std::stoi(result.said);
  EXPECT_EQ(::kill(daemon, 0), 0);
  ::kill(daemon, SIGKILL);
}

TEST_F(SupervisorTest, AWorkerOnTheRunsPipeIsEndedAfterLinger) {
  run_.linger = 300ms;
  const Result result = run("sleep 300 & echo $! >&2");
  EXPECT_EQ(result.status, 0);
  EXPECT_GE(result.took, 300ms);
  EXPECT_NE(result.said.find("behind"), std::string::npos) << result.said;
  EXPECT_NE(::kill(std::stoi(result.said), 0), 0);
}

TEST_F(SupervisorTest, AnOrderToEndGivesTheToolItsGraceAndThenKills) {
  judge_ = [](const Scene& scene) {
    return Judgement{scene.running > 200ms ? Order::End : Order::GoOn, true, 20ms};
  };
  run_.kill_timeout = 400ms;
  const Result result = run("trap 'echo asked >&2' TERM; sleep 300 & while :; do sleep 0.05; done");
  ASSERT_TRUE(WIFEXITED(result.status));
  EXPECT_EQ(WEXITSTATUS(result.status), 124);
  EXPECT_NE(result.said.find("asked"), std::string::npos);
  EXPECT_GE(result.took, 600ms);
}

TEST_F(SupervisorTest, AnOrderToKillCutsAnEndingShort) {
  judge_ = [](const Scene& scene) {
    const auto order = scene.running > 300ms   ? Order::Kill
                       : scene.running > 100ms ? Order::End
                                               : Order::GoOn;
    return Judgement{order, true, 20ms};
  };
  run_.kill_timeout = 60s;
  const Result result = run("trap '' TERM; while :; do sleep 0.05; done");
  EXPECT_EQ(WEXITSTATUS(result.status), 124);
  EXPECT_LT(result.took, 20s);
}

TEST_F(SupervisorTest, AProcessCondemnedWithTheToolIsNotSparedAsADaemon) {
  judge_ = [](const Scene& scene) {
    return Judgement{scene.running > 200ms ? Order::End : Order::GoOn, false, 20ms};
  };
  const Result result = run("setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $! >&2; sleep 300");
  EXPECT_EQ(WEXITSTATUS(result.status), 124);
  EXPECT_NE(::kill(std::stoi(result.said), 0), 0);
}

TEST_F(SupervisorTest, TimeStopsWhileTheWholeGroupIsStopped) {
  judge_ = [](const Scene& scene) {
    return Judgement{scene.running > 2s ? Order::End : Order::GoOn, true, 20ms};
  };
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t leader = ::fork();
  if (leader == 0) {
    ::setpgid(0, 0);
    ::dup2(ends[1], 2);
    supervise("echo ready >&2; sleep 0.5; exit 3");
  }
  char text[64] = {};
  ASSERT_GT(::read(ends[0], text, 6), 0);
  ::kill(-leader, SIGSTOP);
  ::usleep(2'500'000);
  ::kill(-leader, SIGCONT);
  int status = 0;
  ::waitpid(leader, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 3);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(SupervisorTest, AStopOrderEndsTheRunWithoutReachingATrap) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t pid = start("echo ready >&2; sleep 300 & sleep 300", ends[1]);
  char text[64] = {};
  ASSERT_GT(::read(ends[0], text, 6), 0);
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  EXPECT_EQ(order_stop(fd, StopCause::Stolen), 0);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 124);
  ASSERT_GT(::read(ends[0], text, sizeof text - 1), 0);
  EXPECT_STREQ(text, "stolen\n");
  ::close(fd);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(SupervisorTest, AnIgnoredSigchldNeitherHangsNorReachesTheToolChanged) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before {};
  ::sigaction(SIGCHLD, &ignore, &before);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  // Not a shell: shells set their own SIGCHLD.
  with_grep_ = true;
  const pid_t pid = start("", ends[1]);
  ::sigaction(SIGCHLD, &before, nullptr);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  char text[128] = {};
  ASSERT_GT(::read(ends[0], text, sizeof text - 1), 0);
  const auto mask = std::stoull(std::string{text}.substr(8), nullptr, 16);
  EXPECT_NE(mask & (1ULL << (SIGCHLD - 1)), 0U);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(SupervisorTest, TheGuardianEndsTheRunWhenTheSupervisorIsKilled) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  run_.kill_timeout = 300ms;
  // Its environment is cleared and its session new: only the supervisor's list can identify it.
  const pid_t pid = start(
      "env -i setsid sh -c 'trap \"\" TERM; echo x >&2; while :; do sleep 0.05; done' &"
      "wait",
      ends[1]);
  ::close(ends[1]);
  char byte = 0;
  ASSERT_EQ(::read(ends[0], &byte, 1), 1);
  ::usleep(300'000);  // a few guard ticks, so that the member has been published
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  char rest[16];
  while (::read(ends[0], rest, sizeof rest) > 0) {  // end of file: no process holds it any more
  }
  ::close(ends[0]);
}

}  // namespace
}  // namespace onelane::process
