#include "core/guard/cgroup.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>

#include "core/sys/process.hpp"

namespace onelane::guard {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string text_of(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream{path}.rdbuf();
  return out.str();
}

/// The groups of a process, from /proc.
std::string groups_of(pid_t pid) {
  return text_of("/proc/" + std::to_string(pid) + "/cgroup");
}

/// Polls until `is_so` holds or a generous deadline has passed.
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

[[noreturn]] void sleep_for_ever() {
  for (;;) {
    ::pause();
  }
}

/// A run's group below the test's own; skips if none can be made. Ends every process that a test
/// has started, and removes the group.
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
    // Whatever a test has done to its group, nothing may be left on the machine.
    EXPECT_TRUE(wait_until([&] {
      auto left = Cgroup::find(id());
      return !left || left->release();
    }));
  }

  /// Ends and reaps all our descendants.
  static void end_all() {
    do {
      for (const auto& process : sys::descendants_of(::getpid())) {
        ::kill(process.id.pid, SIGKILL);
      }
    } while (::waitpid(-1, nullptr, 0) > 0);
  }

  [[nodiscard]] const std::string& id() const { return id_; }

  /// A child that runs `body` and exits with its result; killed when we end.
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

TEST_F(CgroupTest, AnAddedProcessIsInAGroupBelowOurs) {
  const pid_t child = start_sleeper();
  EXPECT_TRUE(group_->add(child));
  EXPECT_THAT(group_->members(), ElementsAre(child));
  EXPECT_THAT(groups_of(child), HasSubstr("/onelane-" + id() + "\n"));
  EXPECT_THAT(group_->describe(), HasSubstr("/onelane-" + id()));
  EXPECT_THAT(groups_of(::getpid()), Not(HasSubstr(id())));
}

TEST_F(CgroupTest, AProcessStartedByAMemberIsAMemberHoweverItDetaches) {
  const pid_t child = start([this] {
    if (!group_->add(::getpid())) {
      return false;
    }
    if (::fork() == 0) {
      ::setsid();
      ::clearenv();
      if (::fork() == 0) {
        sleep_for_ever();
      }
      ::_exit(0);
    }
    sleep_for_ever();
  });
  EXPECT_TRUE(wait_until([&] {
    const auto members = group_->members();
    return members.size() == 2 && ::getsid(members[0]) != ::getsid(members[1]);
  }));
  EXPECT_THAT(group_->members(), Contains(child));
}

TEST_F(CgroupTest, AddingTwiceIsHarmlessAndAddingNoProcessFails) {
  const pid_t child = start_sleeper();
  EXPECT_TRUE(group_->add(child));
  EXPECT_TRUE(group_->add(child));
  EXPECT_FALSE(group_->add(0x3fffffff));
  EXPECT_FALSE(group_->add(0));
  EXPECT_THAT(group_->members(), ElementsAre(child));
}

TEST_F(CgroupTest, AddMissingMovesOnlyProcessesOutside) {
  const pid_t inside = start_sleeper();
  const pid_t outside = start_sleeper();
  ASSERT_TRUE(group_->add(inside));
  EXPECT_EQ(group_->add_missing(std::array{inside, outside, pid_t{0x3fffffff}}), 1U);
  EXPECT_EQ(group_->members().size(), 2U);
}

// For example a scope, a container, or a test suite that uses control groups itself.
TEST_F(CgroupTest, AProcessInAGroupOfItsOwnStaysThere) {
  auto other = Cgroup::make(id() + "-other");
  ASSERT_TRUE(other);
  const pid_t child = start_sleeper();
  ASSERT_TRUE(other->add(child));
  EXPECT_FALSE(group_->add(child));
  EXPECT_THAT(other->members(), ElementsAre(child));
  EXPECT_TRUE(other->release());
}

TEST_F(CgroupTest, ASecondGroupOfTheSameRunIsRefusedAndTheFirstIsFound) {
  const pid_t child = start_sleeper();
  ASSERT_TRUE(group_->add(child));
  EXPECT_FALSE(Cgroup::make(id()));
  const auto found = Cgroup::find(id());
  ASSERT_TRUE(found);
  EXPECT_THAT(found->members(), ElementsAre(child));
  EXPECT_EQ(found->describe(), group_->describe());
}

TEST_F(CgroupTest, NothingIsLimited) {
  const std::string directory =
      own_groups(text_of("/proc/self/mountinfo"), groups_of(::getpid())).v1_memory.directory;
  if (group_->describe().find("v1 memory") == std::string::npos) {
    GTEST_SKIP() << "no v1 memory group in " << group_->describe();
  }
  // The largest number of pages, in bytes, means no limit.
  const long page = ::sysconf(_SC_PAGESIZE);
  EXPECT_EQ(text_of(directory + "/onelane-" + id() + "/memory.limit_in_bytes"),
            std::to_string(std::numeric_limits<long>::max() / page * page) + "\n");
}

TEST_F(CgroupTest, KillAllEndsProcessesThatIgnoreTermOrHaveDetached) {
  const pid_t child = start([this] {
    ::signal(SIGTERM, SIG_IGN);
    if (!group_->add(::getpid())) {
      return false;
    }
    for (int i = 0; i < 10; ++i) {
      if (::fork() == 0) {
        ::setsid();
        if (::fork() == 0) {
          sleep_for_ever();
        }
        ::_exit(0);
      }
    }
    sleep_for_ever();
  });
  ASSERT_TRUE(wait_until([&] { return group_->members().size() == 11; }));
  if (!group_->kill_all()) {
    GTEST_SKIP() << "no cgroup.kill in " << group_->describe();
  }
  EXPECT_TRUE(wait_until([&] { return group_->members().empty(); }));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST_F(CgroupTest, TheCpuWeightAppliesToEarlierAndLaterMembers) {
  const pid_t before = start_sleeper();
  const pid_t after = start_sleeper();
  ASSERT_TRUE(group_->add(before));
  EXPECT_FALSE(group_->set_cpu_weight(0));
  EXPECT_FALSE(group_->set_cpu_weight(10001));
  if (!group_->set_cpu_weight(50)) {
    GTEST_SKIP() << "no cpu controller beside " << group_->describe();
  }
  ASSERT_TRUE(group_->add(after));
  const auto own = own_groups(text_of("/proc/self/mountinfo"), groups_of(::getpid()));
  if (own.v1_cpu.directory.empty()) {
    EXPECT_EQ(text_of(own.v2.directory + "/onelane-" + id() + "/cpu.weight"), "50\n");
    return;
  }
  EXPECT_EQ(text_of(own.v1_cpu.directory + "/onelane-" + id() + "/cpu.shares"), "512\n");
  for (const pid_t pid : {before, after}) {
    EXPECT_THAT(std::string{path_in(groups_of(pid), Hierarchy::V1Cpu)}, HasSubstr(id()));
  }
  EXPECT_TRUE(group_->set_cpu_weight(200));
  EXPECT_EQ(text_of(own.v1_cpu.directory + "/onelane-" + id() + "/cpu.shares"), "2048\n");
}

/// Files in a directory that stand for a machine whose control groups allow nothing.
class FakeHierarchyTest : public testing::Test {
 protected:
  FakeHierarchyTest() {
    std::filesystem::create_directory(root_ + "/v2");
    std::ofstream{files_.self_cgroup} << "0::/\n";
    std::ofstream{files_.mountinfo} << "30 23 0:26 / " << root_ << "/v2 rw - cgroup2 cgroup2 rw\n";
  }
  ~FakeHierarchyTest() override { std::filesystem::remove_all(root_); }

  static std::string make_root() {
    std::string path = testing::TempDir() + "onelane-cgroup-XXXXXX";
    return ::mkdtemp(path.data());
  }

  std::string root_ = make_root();
  ProcFiles files_{root_ + "/mountinfo", root_ + "/cgroup"};
};

TEST_F(FakeHierarchyTest, AGroupThatMayNotBeLeftIsNotUsed) {
  EXPECT_FALSE(Cgroup::make("run", files_));
  EXPECT_TRUE(std::filesystem::is_empty(root_ + "/v2"));
}

TEST_F(FakeHierarchyTest, ADirectoryThatDoesNotBecomeAGroupIsRemovedAgain) {
  std::ofstream{root_ + "/v2/cgroup.procs"};
  EXPECT_FALSE(Cgroup::make("run", files_));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/v2/onelane-run"));
}

TEST_F(FakeHierarchyTest, AMissingMountPointOrFileMeansNoGroup) {
  std::filesystem::remove(root_ + "/v2");
  EXPECT_FALSE(Cgroup::make("run", files_));
  EXPECT_FALSE(Cgroup::find("run", files_));
  EXPECT_EQ(sweep_abandoned(std::chrono::seconds{0}, files_), 0U);
  EXPECT_FALSE(Cgroup::make("run", {root_ + "/none", root_ + "/none"}));
}

TEST_F(FakeHierarchyTest, ARunIdWithASlashIsRefused) {
  for (const std::string_view id : {"", "../x", "a/b", "a b", "a\n"}) {
    EXPECT_FALSE(Cgroup::make(id)) << id;
    EXPECT_FALSE(Cgroup::find(id)) << id;
  }
}

// --- Release ---

TEST_F(CgroupTest, ADaemonIsBackInItsOriginalGroupAfterTheRelease) {
  const std::string before = groups_of(::getpid());
  const pid_t daemon = start_sleeper();
  ASSERT_TRUE(group_->add(daemon));
  ASSERT_NE(groups_of(daemon), before);
  EXPECT_TRUE(group_->release());
  EXPECT_EQ(groups_of(daemon), before);
  EXPECT_FALSE(Cgroup::find(id()));
}

TEST_F(CgroupTest, AKeptProcessThatIsGivenBackSurvivesTheKill) {
  const pid_t kept = start_sleeper();
  const pid_t straggler = start_sleeper();
  ASSERT_EQ(group_->add_missing(std::array{kept, straggler}), 2U);
  EXPECT_TRUE(group_->give_back(kept));
  EXPECT_FALSE(group_->give_back(kept)) << "no longer a member";
  EXPECT_EQ(groups_of(kept), groups_of(::getpid()));
  if (!group_->kill_all()) {
    GTEST_SKIP() << "no cgroup.kill in " << group_->describe();
  }
  int status = 0;
  EXPECT_EQ(::waitpid(straggler, &status, 0), straggler);
  EXPECT_EQ(::waitpid(kept, &status, WNOHANG), 0);
}

TEST_F(CgroupTest, AReleasedGroupAnswersEverythingWithNo) {
  const pid_t child = start_sleeper();
  const Cgroup copy = *group_;  // like a guardian's copy
  ASSERT_TRUE(group_->release());
  Cgroup released = *group_;
  for (Cgroup group : {released, copy}) {
    EXPECT_FALSE(group.add(child));
    EXPECT_EQ(group.add_missing(std::array{child}), 0U);
    EXPECT_THAT(group.members(), IsEmpty());
    EXPECT_FALSE(group.memory());
    EXPECT_FALSE(group.peak());
    EXPECT_FALSE(group.kill_all());
    EXPECT_TRUE(group.release());
  }
}

TEST_F(CgroupTest, ReleaseEmptiesTheGroupOfANestedRunToo) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t nested = start([&] {
    if (!group_->add(::getpid())) {
      return false;
    }
    const auto inner = Cgroup::make("inner");
    const pid_t tool = ::fork();
    if (tool == 0) {
      sleep_for_ever();
    }
    if (!inner || !inner->add(tool) || ::write(ready[1], &tool, sizeof tool) < 0) {
      return false;
    }
    // Once the outer run has removed the group, the inner one finds no members and goes on.
    return wait_until([&] { return inner->members().empty() && !inner->memory(); }) &&
           Cgroup{*inner}.release();
  });
  pid_t tool = 0;
  ::close(ready[1]);
  ASSERT_EQ(::read(ready[0], &tool, sizeof tool), static_cast<ssize_t>(sizeof tool));
  ::close(ready[0]);
  EXPECT_EQ(group_->members().size(), 2U) << "members of groups below count";
  EXPECT_TRUE(group_->add(tool)) << "is inside";
  EXPECT_THAT(groups_of(tool), testing::HasSubstr("/onelane-inner")) << "and stays where it is";
  EXPECT_TRUE(group_->release());
  EXPECT_EQ(groups_of(tool), groups_of(::getpid()));
  EXPECT_TRUE(ended_well(nested));
}

TEST_F(CgroupTest, AGroupMadeByAMemberKeepsItsProcess) {
  const pid_t child = start_sleeper();
  ASSERT_TRUE(group_->add(child));
  const auto own = own_groups(text_of("/proc/self/mountinfo"), groups_of(::getpid()));
  const OwnGroup& parent = own.v2.directory.empty() ? own.v1_memory : own.v2;
  const std::string ours = parent.directory + "/onelane-" + id();
  ASSERT_EQ(::mkdir((ours + "/theirs").c_str(), 0755), 0);
  std::ofstream{ours + "/theirs/cgroup.procs"} << child << std::flush;
  EXPECT_THAT(group_->members(), ElementsAre(child));
  EXPECT_FALSE(group_->release());
  EXPECT_THAT(groups_of(child), testing::HasSubstr("/theirs\n"));
  end_all();
  EXPECT_TRUE(wait_until([&] { return ::rmdir((ours + "/theirs").c_str()) == 0; }));
  EXPECT_EQ(::rmdir(ours.c_str()), 0);
}

// In a child whose own group is the fixture's, so that groups of concurrent tests are safe.
TEST_F(CgroupTest, TheSweepRemovesEmptyGroupsAndNoOthers) {
  const pid_t sweeper = start([&] {
    if (!group_->add(::getpid())) {
      return false;
    }
    auto used = Cgroup::make("used");
    const auto empty = Cgroup::make("empty");
    const pid_t sleeper = start_sleeper();
    if (!used || !empty || !used->add(sleeper)) {
      return false;
    }
    const bool spares_the_young = sweep_abandoned() == 0 && Cgroup::find("empty");
    const bool sweeps = sweep_abandoned(std::chrono::seconds{0}) > 0;
    const bool is_right = !Cgroup::find("empty") && used->members() == std::vector{sleeper};
    ::kill(sleeper, SIGKILL);
    ::waitpid(sleeper, nullptr, 0);
    return used->release() && spares_the_young && sweeps && is_right;
  });
  EXPECT_TRUE(ended_well(sweeper));
}

// --- Memory ---

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Memory of one process, with every page in use.
bool use_memory(std::size_t size, int kind = MAP_PRIVATE) {
  void* at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) {
    return false;
  }
  for (std::size_t i = 0; i < size; i += 4096) {
    static_cast<volatile char*>(at)[i] = 1;
  }
  return true;
}

class CgroupMemoryTest : public CgroupTest {
 protected:
  void SetUp() override {
    CgroupTest::SetUp();
    if (!IsSkipped() && !group_->memory()) {
      GTEST_SKIP() << "no memory controller in " << group_->describe();
    }
  }

  /// A member that does `work` and then waits; earlier memory is not charged to the group.
  template <typename Work>
  void run_member(Work work) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    start([&]() -> bool {
      if (!group_->add(::getpid()) || !work() || ::write(ready[1], "x", 1) != 1) {
        return false;
      }
      sleep_for_ever();
    });
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1) << "the member failed";
    ::close(ready[0]);
  }
};

TEST_F(CgroupMemoryTest, AnEmptyGroupHasNone) {
  EXPECT_LT(*group_->memory(), kMiB);
}

TEST_F(CgroupMemoryTest, AnonymousMemoryIsCounted) {
  run_member([] { return use_memory(100 * kMiB); });
  EXPECT_GE(*group_->memory(), 98 * kMiB);
  EXPECT_LE(*group_->memory(), 110 * kMiB);
  if (const auto peak = group_->peak()) {
    EXPECT_GE(*peak, 100 * kMiB);
  }
}

TEST_F(CgroupMemoryTest, MemoryThatFiveForksShareIsCountedOnce) {
  run_member([] {
    bool is_good = use_memory(40 * kMiB) && use_memory(40 * kMiB, MAP_SHARED);
    for (int i = 0; i < 5 && is_good; ++i) {
      is_good = start_sleeper() > 0;
    }
    return is_good;
  });
  ASSERT_EQ(group_->members().size(), 6U);
  EXPECT_GE(*group_->memory(), 78 * kMiB);
  EXPECT_LE(*group_->memory(), 100 * kMiB);
}

TEST_F(CgroupMemoryTest, PageCacheIsNotCounted) {
  const std::string path = testing::TempDir() + id() + "-cache";
  struct statfs info {};
  if (::statfs(testing::TempDir().c_str(), &info) != 0 || info.f_type == TMPFS_MAGIC) {
    GTEST_SKIP() << testing::TempDir() << " is in memory itself";
  }
  run_member([&] {
    const std::string block(kMiB, 'x');
    std::ofstream file{path};
    for (int i = 0; i < 50; ++i) {
      file << block;
    }
    return file.good();
  });
  std::remove(path.c_str());
  EXPECT_LE(*group_->memory(), 20 * kMiB);
}

// Memory that a process used before it was added stays charged to the caller's group.
TEST_F(CgroupMemoryTest, EarlierAllocationsAreNotMoved) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = start([&]() -> bool {
    if (!use_memory(60 * kMiB) || ::write(ready[1], "x", 1) != 1) {
      return false;
    }
    sleep_for_ever();
  });
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  ::close(ready[1]);
  ASSERT_TRUE(group_->add(child));
  EXPECT_LE(*group_->memory(), 10 * kMiB);
}

// It lives until told to end: a process that frees its memory while ending can no longer be moved.
TEST_F(CgroupMemoryTest, MovingAProcessWhileItAllocatesDisturbsNothing) {
  int done[2];
  int end[2];
  ASSERT_EQ(::pipe2(done, O_NONBLOCK), 0);
  ASSERT_EQ(::pipe(end), 0);
  const pid_t child = start([&] {
    bool is_good = true;
    for (int i = 0; i < 100 && is_good; ++i) {
      is_good = use_memory(2 * kMiB);
    }
    char byte = 0;
    return is_good && ::write(done[1], "x", 1) == 1 && ::read(end[0], &byte, 1) == 1;
  });
  ::close(done[1]);
  char byte = 0;
  int moves = 0;
  while (::read(done[0], &byte, 1) < 0 && errno == EAGAIN) {
    moves += group_->add(child) ? 1 : 0;
    ASSERT_TRUE(group_->release());
    group_ = Cgroup::make(id());
    ASSERT_TRUE(group_);
  }
  EXPECT_GT(moves, 0);
  EXPECT_EQ(::write(end[1], "x", 1), 1);
  EXPECT_TRUE(ended_well(child));
  for (const int fd : {done[0], end[0], end[1]}) {
    ::close(fd);
  }
}

}  // namespace
}  // namespace onelane::guard
