#include "core/process/canary.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace onelane::process {
namespace {

/// A canary has the signal mask of the process that starts it: all signals blocked.
class CanaryTest : public testing::Test {
 protected:
  CanaryTest() {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
    canary_.start();
  }
  ~CanaryTest() override {
    canary_.end();
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
  }

  Canary canary_;
  sigset_t before_{};
};

TEST_F(CanaryTest, ForgetsAndStaysTheSameProcess) {
  const pid_t pid = canary_.pid();
  for (int round = 0; round < 500; ++round) {
    const int signal = round % 2 == 0 ? SIGTERM : SIGUSR1;
    const int other = round % 2 == 0 ? SIGUSR1 : SIGTERM;
    ::kill(pid, signal);
    ASSERT_TRUE(canary_.has_seen(signal));
    ASSERT_FALSE(canary_.has_seen(other));
    canary_.renew();
    ASSERT_EQ(canary_.pid(), pid) << round;
    ASSERT_FALSE(canary_.has_seen(signal));
    ASSERT_TRUE(canary_.previous_has_seen(signal));
    ASSERT_FALSE(canary_.previous_has_seen(other));
    canary_.drop_previous();
    ASSERT_FALSE(canary_.previous_has_seen(signal));
  }
}

TEST_F(CanaryTest, AStoppedCanaryIsReplacedAndReportsItsSignals) {
  const pid_t pid = canary_.pid();
  ::kill(pid, SIGTERM);
  ::kill(pid, SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, WUNTRACED), pid);
  canary_.renew();
  EXPECT_NE(canary_.pid(), pid);
  EXPECT_FALSE(canary_.has_seen(SIGTERM));
  EXPECT_TRUE(canary_.previous_has_seen(SIGTERM));
  canary_.drop_previous();
  EXPECT_NE(::kill(pid, 0), 0) << "reaped";
  ::kill(canary_.pid(), SIGINT);
  canary_.renew();
  EXPECT_TRUE(canary_.previous_has_seen(SIGINT));
}

TEST_F(CanaryTest, AKilledCanaryIsReplaced) {
  const pid_t pid = canary_.pid();
  ::kill(pid, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  canary_.renew();
  EXPECT_NE(canary_.pid(), pid);
  ::kill(canary_.pid(), SIGINT);
  EXPECT_TRUE(canary_.has_seen(SIGINT));
}

}  // namespace
}  // namespace onelane::process
