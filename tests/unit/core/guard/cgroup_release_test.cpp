#include <gmock/gmock.h>
#include <sys/stat.h>

#include "core/guard/cgroup.hpp"
#include "tests/unit/core/guard/cgroup_scene.hpp"

namespace onelane::guard {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

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
  EXPECT_FALSE(group_->give_back(kept)) << "no member any more";
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
  const Cgroup copy = *group_;  // as a guardian has it
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
    // Until the outer run has taken the group away: the inner one finds nobody, and goes on.
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

TEST_F(CgroupTest, AGroupThatAMemberHasMadeKeepsItsProcess) {
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

// In a child whose own group is the fixture's, so that groups of tests beside this one are safe.
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

}  // namespace
}  // namespace onelane::guard
