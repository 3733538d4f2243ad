#include "core/guard/cgroup.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <limits>

#include "tests/unit/core/guard/cgroup_scene.hpp"

namespace onelane::guard {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(CgroupTest, AnAddedProcessIsInAGroupBelowOurs) {
  const pid_t child = start_sleeper();
  EXPECT_TRUE(group_->add(child));
  EXPECT_THAT(group_->members(), ElementsAre(child));
  EXPECT_THAT(groups_of(child), HasSubstr("/onelane-" + id() + "\n"));
  EXPECT_THAT(group_->describe(), HasSubstr("/onelane-" + id()));
  EXPECT_THAT(groups_of(::getpid()), Not(HasSubstr(id())));
}

TEST_F(CgroupTest, WhatAMemberStartsIsAMemberHoweverItDetaches) {
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

TEST_F(CgroupTest, AddingTwiceIsHarmlessAndAddingNobodyIsNo) {
  const pid_t child = start_sleeper();
  EXPECT_TRUE(group_->add(child));
  EXPECT_TRUE(group_->add(child));
  EXPECT_FALSE(group_->add(0x3fffffff));
  EXPECT_FALSE(group_->add(0));
  EXPECT_THAT(group_->members(), ElementsAre(child));
}

TEST_F(CgroupTest, AddMissingMovesOnlyThoseThatAreOutside) {
  const pid_t inside = start_sleeper();
  const pid_t outside = start_sleeper();
  ASSERT_TRUE(group_->add(inside));
  EXPECT_EQ(group_->add_missing(std::array{inside, outside, pid_t{0x3fffffff}}), 1U);
  EXPECT_EQ(group_->members().size(), 2U);
}

// A scope, a container, a test suite that tries control groups itself.
TEST_F(CgroupTest, AProcessWithAGroupOfItsOwnIsLeftThere) {
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
  // The largest number of pages, in bytes: none.
  const long page = ::sysconf(_SC_PAGESIZE);
  EXPECT_EQ(text_of(directory + "/onelane-" + id() + "/memory.limit_in_bytes"),
            std::to_string(std::numeric_limits<long>::max() / page * page) + "\n");
}

TEST_F(CgroupTest, KillAllEndsWhatIgnoresTermAndHasDetached) {
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

TEST_F(CgroupTest, TheCpuWeightHoldsForMembersOfBeforeAndAfter) {
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

/// A machine without control groups that allow anything: files in a folder.
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

TEST_F(FakeHierarchyTest, AMountPointThatIsGoneAndFilesThatAreMissingMeanNo) {
  std::filesystem::remove(root_ + "/v2");
  EXPECT_FALSE(Cgroup::make("run", files_));
  EXPECT_FALSE(Cgroup::find("run", files_));
  EXPECT_EQ(sweep_abandoned(std::chrono::seconds{0}, files_), 0U);
  EXPECT_FALSE(Cgroup::make("run", {root_ + "/none", root_ + "/none"}));
}

TEST_F(FakeHierarchyTest, ARunIdThatIsAPathIsRefused) {
  for (const std::string_view id : {"", "../x", "a/b", "a b", "a\n"}) {
    EXPECT_FALSE(Cgroup::make(id)) << id;
    EXPECT_FALSE(Cgroup::find(id)) << id;
  }
}

}  // namespace
}  // namespace onelane::guard
