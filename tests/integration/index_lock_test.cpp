#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/lane_scene.hpp"

namespace onelane::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A real git, and another process's `.git/index.lock` in its way.
class IndexLockTest : public testing::Test {
 protected:
  IndexLockTest() {
    sandbox_.use_real("git");
    std::ofstream{lock_} << "foreign";
  }
  Running start_commit(const std::string& longest_wait) {
    sandbox_.set_environment("ONELANE_GIT_LOCK_WAIT", longest_wait);
    return sandbox_.start({"git", "commit", "--quiet", "--allow-empty", "-m", "one"});
  }
  bool comes_to_hold_the_lane() {
    return eventually([&] { return !status_of(sandbox_)["holder"].is_null(); });
  }

  Sandbox sandbox_{Mode::Shim};
  const std::string lock_ = sandbox_.project() + "/.git/index.lock";
};

TEST_F(IndexLockTest, AFreshOneDelaysACommitUntilItGoes) {
  Running commit = start_commit("60");
  ASSERT_TRUE(comes_to_hold_the_lane());
  fs::remove(lock_);
  const Ended ended = commit.wait();
  EXPECT_TRUE(ended.exited_with(0)) << ended.err;
  EXPECT_EQ(ended.err, "");
}

TEST_F(IndexLockTest, AFreshOneDelaysACommitForGitLockWaitAtMostAndIsNeverTouched) {
  const Ended ended = start_commit("0.5").wait();
  EXPECT_TRUE(ended.exited_with(128)) << ended.err;
  EXPECT_GE(ended.took.count(), 500);
  EXPECT_THAT(ended.err, HasSubstr("index.lock': File exists"));
  EXPECT_EQ(contents_of(lock_), "foreign");
}

TEST_F(IndexLockTest, AnOldOneDelaysNothing) {
  fs::last_write_time(lock_, fs::file_time_type::clock::now() - std::chrono::minutes{1});
  const Ended ended = start_commit("60").wait();
  EXPECT_TRUE(ended.exited_with(128)) << ended.err;
  EXPECT_EQ(contents_of(lock_), "foreign");
}

TEST_F(IndexLockTest, AnInterruptedCommitEndsAtOnceAndLeavesTheLane) {
  Running commit = start_commit("60");
  ASSERT_TRUE(comes_to_hold_the_lane());
  commit.signal(SIGINT);
  EXPECT_TRUE(commit.wait().died_of(SIGINT));
  EXPECT_TRUE(status_of(sandbox_)["holder"].is_null());
  EXPECT_EQ(contents_of(lock_), "foreign");
}

}  // namespace
}  // namespace onelane::test
