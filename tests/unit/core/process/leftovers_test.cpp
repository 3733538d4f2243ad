#include "core/process/leftovers.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace onelane::process {
namespace {

/// A `sleep` whose initial environment has ONELANE_HELD, and whose stdio a test chooses.
class LeftoversTest : public ::testing::Test {
 protected:
  ~LeftoversTest() override {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  /// Starts it with fds 0 to 2 on `stdio`, and waits until it has been executed.
  void start(int stdio) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      for (int fd = 0; fd < 3; ++fd) {
        ::dup2(stdio, fd);
      }
      const char* argv[] = {"sleep", "300", nullptr};
      const char* environment[] = {"ONELANE_HELD=runaaaaaaaa", nullptr};
      ::execve("/bin/sleep", const_cast<char**>(argv), const_cast<char**>(environment));
      ::_exit(127);
    }
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 0);  // end of file: the exec has happened
    ::close(ready[0]);
    traits_.session = ::getsid(0);
  }

  [[nodiscard]] bool is_found(const std::string& run_id) const {
    Search search;
    search.run_id = run_id;
    search.known = {sys::self_id()};
    const auto members = find_members(search, traits_, {});
    return std::ranges::any_of(members, [&](const auto& stat) { return stat.id.pid == pid_; });
  }

  std::array<int, 2> pipe_ = [] {
    std::array<int, 2> ends{};
    (void)!::pipe2(ends.data(), O_CLOEXEC);
    return ends;
  }();
  RunTraits traits_;
  pid_t pid_ = -1;
};

TEST_F(LeftoversTest, AMemberIsFoundByTheRunIdInItsEnvironment) {
  start(pipe_[1]);
  EXPECT_TRUE(is_found("runaaaaaaaa"));
  EXPECT_FALSE(is_found("runbbbbbbbb"));
}

TEST_F(LeftoversTest, ARunWithoutAnIdHasNoMembersElsewhere) {
  start(pipe_[1]);
  EXPECT_FALSE(is_found(""));
}

TEST_F(LeftoversTest, OnAPipeItIsAStraggler) {
  start(pipe_[1]);
  EXPECT_EQ(sort_leftover(*sys::read_stat(pid_), traits_, {}), Leftover::Straggler);
}

TEST_F(LeftoversTest, OnNothingItIsDetached) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  start(null);
  ::close(null);
  EXPECT_EQ(sort_leftover(*sys::read_stat(pid_), traits_, {}), Leftover::Detached);
  EXPECT_FALSE(is_found("runaaaaaaaa"));
}

TEST_F(LeftoversTest, OnTheKeepListItIsListedWhateverItsStdio) {
  start(pipe_[1]);
  const KeepList keep = [](std::string_view name, std::span<const std::string_view> arguments) {
    return name == "sleep" && arguments.size() == 1 && arguments[0] == "300";
  };
  EXPECT_EQ(sort_leftover(*sys::read_stat(pid_), traits_, keep), Leftover::Listed);
}

TEST_F(LeftoversTest, AnotherStartTimeIsAnotherProcess) {
  start(pipe_[1]);
  auto stat = *sys::read_stat(pid_);
  ++stat.id.start;
  EXPECT_EQ(sort_leftover(stat, traits_, {}), Leftover::Gone);
}

}  // namespace
}  // namespace onelane::process
