#include "core/process/ask.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>

namespace onelane::process {
namespace {

TEST(AskTest, ReturnsTheAnswerInTheRequestedEnvironment) {
  const Answer answer =
      ask({.argv = {"/bin/sh", "-c", "echo \"$A-$HOME\"; pwd; echo lost >&2; exit 3"},
           .directory = "/",
           .environment = {{"A", "b"}, {"HOME", {}}}});
  EXPECT_EQ(answer.end, Answer::End::Exited);
  EXPECT_EQ(answer.code, 3);
  EXPECT_EQ(answer.out, "b-\n/\n");
}

TEST(AskTest, AProgramThatDoesNotAnswerIsEndedWithItsChildren) {
  const Answer answer = ask({.argv = {"/bin/sh", "-c", "echo $$; sleep 1000; :"},
                             .directory = "/",
                             .limit = std::chrono::milliseconds{300}});
  EXPECT_EQ(answer.end, Answer::End::TimedOut);
  const pid_t group = std::atoi(answer.out.c_str());
  ASSERT_GT(group, 1);
  for (int look = 0; look < 1000 && ::kill(-group, 0) == 0; ++look) {
    ::usleep(10'000);
  }
  EXPECT_NE(::kill(-group, 0), 0);
}

TEST(AskTest, DoesNotWaitForBackgroundProcesses) {
  const Answer answer = ask({.argv = {"/bin/sh", "-c", "sleep 1000 & echo $!"},
                             .directory = "/",
                             .limit = std::chrono::minutes{5}});
  EXPECT_EQ(answer.end, Answer::End::Exited);
  const pid_t left = std::atoi(answer.out.c_str());
  ASSERT_GT(left, 1);
  ::kill(left, SIGKILL);
}

TEST(AskTest, AProgramThatNeverStopsWritingIsEndedAtTheLimit) {
  const Answer answer = ask({.argv = {"/bin/sh", "-c", "yes & yes & yes & yes"},
                             .directory = "/",
                             .limit = std::chrono::milliseconds{300}});
  EXPECT_EQ(answer.end, Answer::End::TimedOut);
  EXPECT_EQ(answer.out.size(), std::size_t{256} << 10U);
}

TEST(AskTest, AFailureToStartIsReported) {
  EXPECT_EQ(ask({.argv = {"/no/such/program"}, .directory = "/"}).code, 127);
}

}  // namespace
}  // namespace onelane::process
