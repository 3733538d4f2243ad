#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "core/guard/cgroup.hpp"
#include "core/sys/process.hpp"

namespace onelane::guard {

inline std::string text_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream{path}.rdbuf();
  return out.str();
}

/// The groups that a process is in, as /proc tells it.
inline std::string groups_of(pid_t pid) {
  return text_of("/proc/" + std::to_string(pid) + "/cgroup");
}

/// Polls until `is_so` or the end of a generous deadline.
template <typename Condition>
bool wait_until(Condition is_so) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!is_so()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

[[noreturn]] inline void sleep_for_ever() {
  for (;;) {
    ::pause();
  }
}

/// A group of a run, in the group that the test runs in; skips where there can be none. Ends
/// every process that a test has started, and removes the group.
class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1L);
    group_ = Cgroup::make(id());
    if (!group_) {
      GTEST_SKIP() << "no control group can be made below ours:\n" << groups_of(::getpid());
    }
  }

  void TearDown() override {
    end_all();
    // Whatever a test has done to its group: nothing is left on the machine.
    EXPECT_TRUE(wait_until([&] {
      auto left = Cgroup::find(id());
      return !left || left->release();
    }));
  }

  /// Ends every descendant of ours and reaps it.
  static void end_all() {
    do {
      for (const auto& process : sys::descendants_of(::getpid())) {
        ::kill(process.id.pid, SIGKILL);
      }
    } while (::waitpid(-1, nullptr, 0) > 0);
  }

  [[nodiscard]] const std::string& id() const { return id_; }

  /// A child that runs `body` and ends with what it returns; with us at the latest.
  template <typename Body>
  static pid_t start(Body body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::_exit(body() ? 0 : 1);
    }
    return pid;
  }

  static pid_t start_sleeper() {
    return start([]() -> bool { sleep_for_ever(); });
  }

  static bool ended_well(pid_t pid) {
    int status = -1;
    return ::waitpid(pid, &status, 0) == pid && status == 0;
  }

  std::optional<Cgroup> group_;

 private:
  static std::string new_id() {
    static int count = 0;
    return "unit-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
  }

  std::string id_ = new_id();
};

}  // namespace onelane::guard
