#include "core/sys/process.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace onelane::sys {
namespace {

/// A child that sleeps until it is killed; reaped on destruction.
class Child {
 public:
  Child() : pid_{::fork()} {
    if (pid_ == 0) {
      for (;;) {
        ::pause();
      }
    }
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(ReadStatTest, OwnStatNamesParentGroupAndSession) {
  const auto stat = read_stat(::getpid());
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->id.pid, ::getpid());
  EXPECT_EQ(stat->parent, ::getppid());
  EXPECT_EQ(stat->group, ::getpgrp());
  EXPECT_EQ(stat->session, ::getsid(0));
  EXPECT_GT(stat->id.start, 0U);
}

TEST(ReadStatTest, AProcessThatIsGoneHasNoStat) {
  EXPECT_FALSE(read_stat(0x3fffffff));
}

TEST(ExistsTest, APidWithAnotherStartTimeIsAnotherProcess) {
  const Child child;
  auto id = read_stat(child.pid())->id;
  EXPECT_TRUE(exists(id));
  ++id.start;
  EXPECT_FALSE(exists(id));
}

TEST(AncestryTest, AChildSeesUsFirstAndTheTopLast) {
  const Child child;
  const auto ancestry = ancestry_of(child.pid());
  ASSERT_FALSE(ancestry.chain.empty());
  EXPECT_EQ(ancestry.chain.front().id, self_id());
  EXPECT_TRUE(ancestry.complete);
}

TEST(DescendantsTest, ListsAChildAndNotUs) {
  const Child child;
  const auto found = descendants_of(::getpid());
  EXPECT_TRUE(std::ranges::any_of(found, [&](const auto& s) { return s.id.pid == child.pid(); }));
  EXPECT_FALSE(std::ranges::any_of(found, [](const auto& s) { return s.id.pid == ::getpid(); }));
}

TEST(BootIdTest, IsReadable) {
  EXPECT_NE(boot_id(), 0U);
  EXPECT_NE(pid_namespace(), 0U);
}

}  // namespace
}  // namespace onelane::sys
