#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "core/sys/process.hpp"
#include "tests/integration/guard_scene.hpp"

// What a supervised run does about the orphans of earlier ones, without being asked.
namespace onelane::test {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

class OrphanPatrolTest : public ::testing::Test {
 protected:
  ~OrphanPatrolTest() override {
    if (stray_ > 0) {
      ::kill(stray_, SIGKILL);
      ::waitpid(stray_, nullptr, 0);
    }
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  [[nodiscard]] std::string running_id() {
    std::string id;
    EXPECT_TRUE(eventually([&] {
      const auto status = nlohmann::json::parse(scene_.onelane({"status", "--json"}).out);
      id = status["holder"].is_null() ? "" : status["holder"]["id"].get<std::string>();
      return !id.empty();
    }));
    return id;
  }

  /// A process that carries `id` but is below no run, with `stdio` of its own.
  void start_stray(const std::string& id, int stdio) {
    stray_ = ::fork();
    if (stray_ == 0) {
      ::setsid();
      for (int fd = 0; fd < 3; ++fd) {
        ::dup2(stdio, fd);
      }
      const std::string held = "ONELANE_HELD=" + id;
      const char* argv[] = {"sleep", "120", nullptr};
      const char* environment[] = {held.c_str(), nullptr};
      ::execve("/bin/sleep", const_cast<char**>(argv), const_cast<char**>(environment));
      ::_exit(127);
    }
    EXPECT_TRUE(eventually([&] { return sys::command_line(stray_) == "sleep 120"; }));
  }

  [[nodiscard]] bool stray_lives() const { return ::waitpid(stray_, nullptr, WNOHANG) == 0; }

  GuardScene scene_;
  pid_t stray_ = -1;
  std::array<int, 2> pipe_ = [] {
    std::array<int, 2> ends{};
    (void)!::pipe2(ends.data(), O_CLOEXEC);
    return ends;
  }();
};

TEST_F(OrphanPatrolTest, WhatBeganInARunThatHasEndedIsEndedByALaterOne) {
  Running first = scene_.sandbox().start(scene_.hog({"sleep", "700"}));
  const std::string id = running_id();
  start_stray(id, pipe_[1]);
  (void)first.wait();
  const Ended later = scene_.run({"sleep", "3500"});
  EXPECT_THAT(later.err, HasSubstr("ending what run " + id)) << later.err;
  EXPECT_FALSE(stray_lives());
  stray_ = -1;
}

TEST_F(OrphanPatrolTest, ADaemonOfThatRunIsLeftAlone) {
  Running first = scene_.sandbox().start(scene_.hog({"sleep", "700"}));
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  start_stray(running_id(), null);
  ::close(null);
  (void)first.wait();
  const Ended later = scene_.run({"sleep", "3500"});
  EXPECT_THAT(later.err, Not(HasSubstr("ending what run")));
  EXPECT_TRUE(stray_lives());
}

TEST_F(OrphanPatrolTest, WhatHasAnIdThatWasSavedAndBeganAfterItsRunIsLeftAlone) {
  Running first = scene_.sandbox().start(scene_.hog({"sleep", "300"}));
  const std::string id = running_id();
  (void)first.wait();
  start_stray(id, pipe_[1]);
  const Ended later = scene_.run({"sleep", "3500"});
  EXPECT_THAT(later.err, Not(HasSubstr("ending what run")));
  EXPECT_TRUE(stray_lives());
}

}  // namespace
}  // namespace onelane::test
