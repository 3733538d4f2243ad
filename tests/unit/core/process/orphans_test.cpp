#include "core/process/orphans.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>

#include "core/sys/clock.hpp"
#include "core/sys/run_id.hpp"

namespace onelane::process {
namespace {

using Words = std::vector<std::string>;
using std::chrono::milliseconds;

/// Shells and sleeps with a marker in their environment; other orphans are not looked at.
class OrphansTest : public ::testing::Test {
 protected:
  OrphansTest() {
    rules_.is_wanted = [this](std::string_view id) { return id == id_; };
    rules_.live_runs = [this] { return live_; };
    rules_.is_onelane = [this](pid_t pid) { return pid == onelane_; };
    rules_.written_down = [this] { return written_; };
    rules_.traits = [this](std::string_view) { return traits_; };
    rules_.keep = [](std::string_view, std::span<const std::string_view>) { return false; };
  }

  ~OrphansTest() override {
    for (const pid_t pid : started_) {
      ::kill(-pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }

  /// Starts `script` in a shell whose fds 0 to 2 are `stdio` and whose fd 9 is the pipe, in a
  /// group of its own.
  pid_t start(const std::string& script, int stdio, Words environment) {
    environment.emplace_back("EXECUTED=1");
    const char* argv[] = {"sh", "-c", script.c_str(), nullptr};
    std::vector<char*> entries;
    for (std::string& entry : environment) {
      entries.push_back(entry.data());
    }
    entries.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setpgid(0, 0);
      ::dup2(pipe_[1], 9);
      for (int fd = 0; fd < 3; ++fd) {
        ::dup2(stdio, fd);
      }
      ::execve("/bin/sh", const_cast<char**>(argv), entries.data());
      ::_exit(127);
    }
    started_.push_back(pid);
    wait_for(pid, "EXECUTED");
    return pid;
  }
  pid_t start(const std::string& script = "exec sleep 300") {
    return start(script, pipe_[1], {marker()});
  }
  [[nodiscard]] std::string marker() const { return "ONELANE_HELD=" + id_; }

  /// Waits until `name` is in the environment of `pid`, the last thing that an exec puts there.
  static void wait_for(pid_t pid, std::string_view name) {
    for (int round = 0; round < 5'000 && !sys::initial_environment(pid, name); ++round) {
      ::usleep(1'000);
    }
  }

  /// The child of `pid` that runs `name`, once it does.
  static pid_t child_of(pid_t pid, std::string_view name) {
    for (int round = 0; round < 5'000; ++round) {
      for (const auto& stat : sys::descendants_of(pid)) {
        if (name == stat.name.data()) {
          return stat.id.pid;
        }
      }
      ::usleep(1'000);
    }
    return -1;
  }

  static bool is_in(const std::vector<Orphan>& list, pid_t pid) {
    return std::ranges::any_of(list, [&](const Orphan& o) { return o.stat.id.pid == pid; });
  }
  bool is_orphan(pid_t pid) { return is_in(watch_.scan().orphans, pid); }
  /// Waits for it to become an orphan: while it executes another program, its environment is
  /// unreadable.
  bool is_found(pid_t pid) {
    bool found = false;
    for (int round = 0; round < 5'000 && !(found = is_orphan(pid)); ++round) {
      ::usleep(1'000);
    }
    return found;
  }

  const std::string id_ = [] {
    std::string id = "t";
    for (auto rest = sys::monotonic_time().count(); id.size() < sys::kRunIdLength; rest /= 10) {
      id += static_cast<char>('a' + rest % 10);
    }
    return id;
  }();
  std::vector<std::string> live_;
  pid_t onelane_ = -1;
  std::vector<WrittenDown> written_;
  std::optional<RunTraits> traits_ = RunTraits{};
  OrphanRules rules_;
  OrphanWatch watch_{[this] {
    OrphanRules rules;  // reads the current rules_ at each call
    rules.is_wanted = [this](std::string_view id) { return rules_.is_wanted(id); };
    rules.live_runs = [this] { return rules_.live_runs(); };
    rules.is_onelane = [this](pid_t pid) { return rules_.is_onelane(pid); };
    rules.written_down = [this] { return rules_.written_down(); };
    rules.traits = [this](std::string_view id) { return rules_.traits(id); };
    return rules;
  }()};
  std::array<int, 2> pipe_ = [] {
    std::array<int, 2> ends{};
    (void)!::pipe2(ends.data(), O_CLOEXEC);
    return ends;
  }();
  std::vector<pid_t> started_;
};

TEST_F(OrphansTest, AMarkedProcessWhoseRunHasEndedIsAnOrphan) {
  const pid_t pid = start();
  ASSERT_TRUE(is_found(pid));
  const auto found = watch_.scan().orphans;
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].stat.id.pid, pid);
  EXPECT_EQ(found[0].run_id, id_);
  EXPECT_EQ(found[0].sorted, Leftover::Straggler);
}

TEST_F(OrphansTest, NotWhileItsRunIsLive) {
  const pid_t pid = start();
  live_ = {id_};
  EXPECT_FALSE(is_orphan(pid));
  live_ = {};
  EXPECT_TRUE(is_found(pid));
}

TEST_F(OrphansTest, NotWhileAnotherRunOfItsMarkerIsLive) {
  const pid_t pid =
      start("exec sleep 300", pipe_[1], {"ONELANE_HELD=outerabcdef," + id_ + ",innerabcdef"});
  EXPECT_TRUE(is_found(pid));
  for (const char* live : {"outerabcdef", "innerabcdef"}) {
    live_ = {live};
    EXPECT_FALSE(is_orphan(pid)) << live;
  }
}

TEST_F(OrphansTest, APartOfAnIdIsNotAMarker) {
  const pid_t pid = start("exec sleep 300", pipe_[1], {marker() + "x", "ONELANE_HELD_X=" + id_});
  EXPECT_FALSE(is_orphan(pid));
}

TEST_F(OrphansTest, NotBelowAOnelaneProcess) {
  const pid_t pid = start();
  EXPECT_TRUE(is_found(pid));
  onelane_ = ::getpid();
  EXPECT_FALSE(is_orphan(pid));
}

TEST_F(OrphansTest, NotBelowTheSupervisorThatItsEnvironmentNames) {
  const pid_t pid = start("exec sleep 300", pipe_[1],
                          {marker(), "SEQUENTIAL_EXECUTOR_PID=" + std::to_string(::getpid())});
  EXPECT_FALSE(is_orphan(pid));
}

TEST_F(OrphansTest, AOnelaneProcessIsNeverAnOrphan) {
  const pid_t pid = start();
  EXPECT_TRUE(is_found(pid));
  onelane_ = pid;
  EXPECT_FALSE(is_orphan(pid));
}

TEST_F(OrphansTest, ANumberInTheTableOfTheLaneIsAnOrphanUnlessItIsOnelanes) {
  const pid_t pid = start();
  ASSERT_TRUE(is_found(pid));
  rules_.waiting = [pid] { return std::vector{pid}; };
  OrphanWatch stale{rules_};
  const auto is_it = [pid](const Orphan& orphan) { return orphan.stat.id.pid == pid; };
  EXPECT_TRUE(std::ranges::any_of(stale.scan().orphans, is_it));
  onelane_ = pid;
  OrphanWatch right{rules_};
  EXPECT_TRUE(std::ranges::none_of(right.scan().orphans, is_it));
}

TEST_F(OrphansTest, AZombieIsNotAnOrphan) {
  const pid_t pid = start("exit 0");
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(is_orphan(pid));
}

TEST_F(OrphansTest, AProcessWithoutStdioIsKeptWithItsDescendants) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t daemon = start("sleep 300 >&9 & wait", null, {marker()});
  ::close(null);
  const pid_t below = child_of(daemon, "sleep");
  const OrphanScan scan = watch_.scan();
  EXPECT_TRUE(scan.orphans.empty());
  EXPECT_TRUE(is_in(scan.kept, daemon));
  EXPECT_FALSE(is_in(scan.kept, below));
}

TEST_F(OrphansTest, ARecordedKeptProcessStaysKept) {
  const pid_t pid = start("sleep 300 & wait");
  written_ = {{sys::read_stat(pid)->id, id_, false}};
  const pid_t below = child_of(pid, "sleep");
  const OrphanScan scan = watch_.scan();
  EXPECT_TRUE(is_in(scan.kept, pid));
  EXPECT_FALSE(is_in(scan.orphans, below));
  ++written_[0].id.start;  // another process of that number
  EXPECT_TRUE(is_found(pid));
  EXPECT_TRUE(is_found(below));
}

TEST_F(OrphansTest, WithoutTraitsARegularFileCountsAsKept) {
  std::string path = "/tmp/onelane-orphans-XXXXXX";
  const int file = ::mkostemp(path.data(), O_CLOEXEC);
  ASSERT_GE(file, 0);
  const pid_t pid = start("exec sleep 300", file, {marker()});
  traits_ = std::nullopt;
  EXPECT_FALSE(is_orphan(pid));
  struct stat info {};
  ASSERT_EQ(::fstat(file, &info), 0);
  traits_ = RunTraits{};
  traits_->stdio[1] = {info.st_dev, info.st_ino};
  EXPECT_TRUE(is_found(pid));
  ::close(file);
  ::unlink(path.c_str());
}

TEST_F(OrphansTest, ADescendantWithoutMarkerIsAnOrphanEvenWithoutItsParent) {
  const pid_t pid = start("env -i sleep 300 & wait");
  const pid_t below = child_of(pid, "sleep");
  EXPECT_TRUE(is_found(below));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  const auto found = watch_.scan().orphans;
  ASSERT_TRUE(is_in(found, below));
  EXPECT_EQ(found[0].run_id, id_);
}

TEST_F(OrphansTest, AMarkerThatAppearsWithAnExecIsFound) {
  std::array<int, 2> line{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line.data()), 0);
  const pid_t pid = start("read go; exec env " + marker() + " sleep 300", line[1], {});
  EXPECT_FALSE(is_orphan(pid));
  ASSERT_EQ(::write(line[0], "\n", 1), 1);
  wait_for(pid, "ONELANE_HELD");
  EXPECT_TRUE(is_found(pid));
  ::close(line[0]);
  ::close(line[1]);
}

TEST_F(OrphansTest, TheEnvironmentsOfOldProcessesAreNotReadAgain) {
  start();
  (void)watch_.scan();
  const std::size_t all = watch_.environments_read();
  ASSERT_GT(all, 2U);
  bool rests = false;
  for (int round = 0; round < 200 && !rests; ++round) {
    ::usleep(50'000);
    const std::size_t before = watch_.environments_read();
    (void)watch_.scan();
    rests = watch_.environments_read() - before < all / 2;  // others start processes meanwhile
  }
  EXPECT_TRUE(rests);
}

TEST_F(OrphansTest, EndsOrphansThatIgnoreTermAndTheirNewChildren) {
  const pid_t pid = start("trap '' TERM; while :; do sleep 300 & sleep 300; done");
  ASSERT_GT(child_of(pid, "sleep"), 0);
  EXPECT_TRUE(is_found(pid));
  std::jthread reaper{[&] { ::waitpid(pid, nullptr, 0); }};
  const Ended ended = end_orphans(watch_, Words{id_}, milliseconds{100});
  EXPECT_TRUE(ended.left.empty());
  EXPECT_GE(ended.signalled, 2U);
  EXPECT_TRUE(watch_.scan().orphans.empty());
}

TEST_F(OrphansTest, EndsNoOtherRun) {
  const pid_t pid = start();
  const Ended ended = end_orphans(watch_, Words{"another"}, milliseconds{100});
  EXPECT_EQ(ended.signalled, 0U);
  EXPECT_TRUE(is_found(pid));
}

}  // namespace
}  // namespace onelane::process
