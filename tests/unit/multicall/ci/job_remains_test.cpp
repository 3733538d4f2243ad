#include "multicall/ci/job_remains.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace onelane::multicall::ci {
namespace {

constexpr const char* kSigns[] = {"CI", "ONELANE_JOB_STARTED", "RUNNER_TRACKING_ID", "CI_JOB_ID",
                                  "JENKINS_NODE_COOKIE"};

class JobProcessesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : kSigns) {
      ::unsetenv(name);
    }
  }
};

TEST_F(JobProcessesTest, AJobIsRecognisedByTheVariablesOfCi) {
  EXPECT_FALSE(is_in_job());
  for (const char* name : kSigns) {
    ::setenv(name, "1", 1);
    EXPECT_TRUE(is_in_job()) << name;
    ::setenv(name, "", 1);
    EXPECT_FALSE(is_in_job()) << name;
    ::unsetenv(name);
  }
  ::setenv("CI", "false", 1);
  EXPECT_FALSE(is_in_job());
}

TEST_F(JobProcessesTest, AProcessStartedWithoutTheMarkIsNotOfThisJob) {
  EXPECT_TRUE(is_of_this_job(::getpid()));
  ::setenv("RUNNER_TRACKING_ID", "set after this process was started", 1);
  EXPECT_FALSE(is_of_this_job(::getpid()));
}

}  // namespace
}  // namespace onelane::multicall::ci
