#include "multicall/monitor/look.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/unit/multicall/monitor/scene.hpp"

namespace onelane::multicall::monitor {
namespace {

class WakesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string directory = std::filesystem::temp_directory_path() / "wakes-XXXXXX";
    ASSERT_NE(::mkdtemp(directory.data()), nullptr);
    lanes_.project.state_dir = directory;
    owner_ = ::fork();
    if (owner_ == 0) {
      ::pause();
      ::_exit(0);
    }
    ASSERT_GT(owner_, 0);
  }
  void TearDown() override {
    ::kill(owner_, SIGKILL);
    ::waitpid(owner_, nullptr, 0);
    std::filesystem::remove_all(lanes_.project.state_dir);
  }
  /// Leaves a zombie.
  void kill_owner() const {
    ::kill(owner_, SIGKILL);
    siginfo_t info{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(owner_), &info, WEXITED | WNOWAIT), 0);
  }
  [[nodiscard]] std::vector<LaneLook> owned() const {
    LaneLook lane;
    lane.view.holder = ticket("holder00000", lane::State::Running, "make test");
    lane.view.holder->supervisor.pid = owner_;
    return {lane};
  }
  [[nodiscard]] static bool wakes_us(const Wakes& wakes) {
    return std::ranges::any_of(wakes.fds(), [](int fd) {
      pollfd polled{fd, POLLIN, 0};
      return ::poll(&polled, 1, 0) > 0;
    });
  }

  LanesHere lanes_;
  pid_t owner_ = -1;
};

TEST_F(WakesTest, AnOwnerThatDiesWakesUsOnce) {
  Wakes wakes{lanes_};
  wakes.follow(owned());
  EXPECT_TRUE(wakes.sees_everything());
  EXPECT_FALSE(wakes_us(wakes));
  kill_owner();
  EXPECT_TRUE(wakes_us(wakes));
  wakes.follow(owned());
  EXPECT_FALSE(wakes_us(wakes));
  EXPECT_FALSE(wakes.sees_everything());
}

TEST_F(WakesTest, AZombieIsNotWaitedFor) {
  kill_owner();
  Wakes wakes{lanes_};
  wakes.follow(owned());
  EXPECT_FALSE(wakes_us(wakes));
  EXPECT_FALSE(wakes.sees_everything());
}

TEST_F(WakesTest, WhatIsWrittenToTheLaneWakesUs) {
  Wakes wakes{lanes_};
  std::filesystem::create_directory(lanes_.project.state_dir + "/git");
  EXPECT_TRUE(wakes_us(wakes));
  wakes.drain();
  EXPECT_FALSE(wakes_us(wakes));
  wakes.watch_directories();
  std::filesystem::create_directory(lanes_.project.state_dir + "/git/lane");
  EXPECT_TRUE(wakes_us(wakes));
}

}  // namespace
}  // namespace onelane::multicall::monitor
