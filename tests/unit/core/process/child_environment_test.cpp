#include "core/process/launch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "core/sys/file_descriptor.hpp"

namespace onelane::process {
namespace {

class ChildEnvironmentTest : public testing::Test {
 protected:
  /// `entries` as a child sees them; "CHILD" stands for its pid there.
  std::vector<std::string> in_child(std::vector<std::string> entries) {
    std::vector<const char*> pointers;
    for (const std::string& entry : entries) {
      pointers.push_back(entry.c_str());
    }
    pointers.push_back(nullptr);
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const char* const argv[] = {"sh", "-c", "echo CHILD=$$ >&$OUT; exec env >&$OUT", nullptr};
    const std::string out = "OUT=" + std::to_string(ends[1]);
    pointers.insert(pointers.begin(), out.c_str());
    const Signals signals;
    const Launched launched = launch({"/bin/sh", argv, pointers.data()}, signals);
    EXPECT_EQ(launched.error, 0);
    ::close(ends[1]);
    std::string text(65536, '\0');
    const long got = sys::read_up_to(ends[0], text.data(), text.size());
    ::close(ends[0]);
    ::waitpid(launched.pid, nullptr, 0);
    text.resize(static_cast<std::size_t>(std::max(got, 0L)));
    return lines_of(text, std::to_string(launched.pid));
  }

  static std::vector<std::string> lines_of(const std::string& text, const std::string& pid) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      std::string line = text.substr(at, end - at);
      if (line.ends_with("=" + pid)) {
        line.replace(line.size() - pid.size(), pid.size(), "CHILD");
      }
      if (!line.starts_with("CHILD=") && !line.starts_with("OUT=") && !line.starts_with("PWD=") &&
          !line.starts_with("_=") && !line.starts_with("SHLVL=")) {
        out.push_back(line);
      }
      at = end + 1;
    }
    return out;
  }

  std::string self_ = std::to_string(::getpid());
};

TEST_F(ChildEnvironmentTest, VariablesThatNameUsNameTheChildAndNothingElseChanges) {
  EXPECT_THAT(in_child({"A=" + self_, "LISTEN_PID=" + self_, "LISTEN_FDS=1", "LISTEN_FDNAMES=x",
                        "WATCHDOG_PID=" + self_, "WATCHDOG_USEC=7", "SYSTEMD_EXEC_PID=" + self_,
                        "MAINPID=" + self_, "LISTEN_PIDS=" + self_, "NOTIFY_SOCKET=/run/x"}),
              testing::UnorderedElementsAre(
                  "A=" + self_, "LISTEN_PID=CHILD", "LISTEN_FDS=1", "LISTEN_FDNAMES=x",
                  "WATCHDOG_PID=CHILD", "WATCHDOG_USEC=7", "SYSTEMD_EXEC_PID=CHILD",
                  "MAINPID=" + self_, "LISTEN_PIDS=" + self_, "NOTIFY_SOCKET=/run/x"));
}

TEST_F(ChildEnvironmentTest, VariablesThatNameAnotherProcessStay) {
  EXPECT_THAT(in_child({"LISTEN_PID=1", "LISTEN_PIDFDID=5", "LISTEN_FDS=1"}),
              testing::UnorderedElementsAre("LISTEN_PID=1", "LISTEN_PIDFDID=5", "LISTEN_FDS=1"));
}

TEST_F(ChildEnvironmentTest, ThePidfdIsTheChildsToo) {
  const std::string listen = "LISTEN_PID=" + self_;
  const char* const entries[] = {listen.c_str(), "LISTEN_PIDFDID=1", nullptr};
  ChildEnvironment environment{entries};
  environment.name_self();
  const int self = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  ASSERT_GE(self, 0);
  struct stat info {};
  ASSERT_EQ(::fstat(self, &info), 0);
  ::close(self);
  EXPECT_EQ(environment.data()[0], listen);
  EXPECT_EQ(environment.data()[1], "LISTEN_PIDFDID=" + std::to_string(info.st_ino));
  EXPECT_EQ(environment.data()[2], nullptr);
}

TEST_F(ChildEnvironmentTest, WithoutSuchAVariableItIsTheCallersOwn) {
  const char* const entries[] = {"A=1", "LISTEN_PID=1", nullptr};
  const ChildEnvironment environment{entries};
  EXPECT_EQ(environment.data(), entries);
}

}  // namespace
}  // namespace onelane::process
