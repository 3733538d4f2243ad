#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/statfs.h>

#include <cerrno>
#include <cstdio>

#include "core/guard/cgroup.hpp"
#include "tests/unit/core/guard/cgroup_scene.hpp"

namespace onelane::guard {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Memory of one process, every page of it used.
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

  /// A member that does `work` and then waits; nothing is charged to the group that it did before.
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

// What a process has used before it was added stays with the caller's group.
TEST_F(CgroupMemoryTest, WhatWasAllocatedBeforeIsNotMovedAlong) {
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

// It lives until told: a process that frees its memory while it ends cannot be moved any more.
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
