#include "core/guard/measure.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <vector>

#include "core/guard/guard.hpp"
#include "tests/support/megabyte.hpp"

namespace onelane::guard {
namespace {

using sys::Reason;

/// Writes to every page, so that it is resident.
void touch(void* memory, std::size_t size) {
  std::memset(memory, 1, size);
}

void* map_private(std::size_t size) {
  return ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/// Children that hold memory until the test ends.
class MeasureTest : public ::testing::Test {
 protected:
  ~MeasureTest() override {
    for (const pid_t pid : children_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  /// Starts a child and returns once it has run `prepare`.
  pid_t start(const std::function<void()>& prepare) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      prepare();
      (void)!::write(ends[1], "r", 1);
      for (;;) {
        ::pause();
      }
    }
    char ready = 0;
    EXPECT_EQ(::read(ends[0], &ready, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
    children_.push_back(pid);
    return pid;
  }

  [[nodiscard]] Sample take() {
    std::vector<sys::ProcessStat> members;
    for (const pid_t pid : children_) {
      members.push_back(sys::read_stat(pid).value());
    }
    return measure_.take(members);
  }

  Limits limits_;
  Measure measure_{limits_};
  std::vector<pid_t> children_;
};

TEST_F(MeasureTest, AnonymousMemoryCounts) {
  start([] { touch(map_private(100 * kMb), 100 * kMb); });
  const Sample sample = take();
  EXPECT_GE(sample.bytes, 100 * kMb);
  EXPECT_LT(sample.bytes, 200 * kMb);
}

TEST_F(MeasureTest, SharedMemoryCounts) {
  limits_[Reason::Memory].value = 100 * kMb;
  start([] {
    void* shared =
        ::mmap(nullptr, 120 * kMb, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    touch(shared, 120 * kMb);
  });
  EXPECT_GE(take().processes.at(0).bytes, 100 * kMb);
}

TEST_F(MeasureTest, MemorySharedByForksCountsOnce) {
  limits_[Reason::TreeMemory].value = 400 * kMb;
  limits_[Reason::Memory].value = 400 * kMb;
  void* const heap = map_private(200 * kMb);
  touch(heap, 200 * kMb);
  for (int i = 0; i < 4; ++i) {
    start([] {});
  }
  // The test process is the fifth that shares the heap.
  EXPECT_LT(take().bytes, limits_[Reason::TreeMemory].value);
  EXPECT_LT(take().bytes, limits_[Reason::TreeMemory].value) << "remembered, not read again";
  ::munmap(heap, 200 * kMb);
}

TEST_F(MeasureTest, NewForksAreRefinedBeforeAnyWarning) {
  limits_[Reason::TreeMemory].value = 500 * kMb;
  void* const heap = map_private(100 * kMb);
  touch(heap, 100 * kMb);
  for (int i = 0; i < 6; ++i) {
    start([] {});
  }
  ASSERT_LT(take().bytes, 250 * kMb) << "a seventh of the heap is the test's";
  for (int i = 0; i < 3; ++i) {
    start([] {});  // at once, before the next refinement is due
  }
  EXPECT_LT(take().bytes, 250 * kMb);
  ::munmap(heap, 100 * kMb);
}

TEST_F(MeasureTest, ForksThatStopSharingAreDetected) {
  limits_[Reason::TreeMemory].value = 200 * kMb;
  void* const heap = map_private(100 * kMb);
  touch(heap, 100 * kMb);
  int go[2];
  ASSERT_EQ(::pipe(go), 0);
  int done[2];
  ASSERT_EQ(::pipe(done), 0);
  for (int i = 0; i < 3; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      char word = 0;
      (void)!::read(go[0], &word, 1);
      touch(heap, 100 * kMb);
      (void)!::write(done[1], "d", 1);
      for (;;) {
        ::pause();
      }
    }
    children_.push_back(pid);
  }
  EXPECT_LT(take().bytes, 200 * kMb);
  ASSERT_EQ(::write(go[1], "ggg", 3), 3);
  char words[3];
  for (int got = 0; got < 3;) {
    got += static_cast<int>(::read(done[0], words, sizeof words));
  }
  // By the time the next refinement is due, at the latest.
  std::uint64_t bytes = 0;
  for (int i = 0; i < 100 && bytes < 300 * kMb; ++i) {
    ::usleep(100'000);
    bytes = take().bytes;
  }
  EXPECT_GE(bytes, 300 * kMb);
  ::munmap(heap, 100 * kMb);
}

TEST_F(MeasureTest, MappedFilesDoNotCount) {
  limits_[Reason::Memory].value = 100 * kMb;
  limits_[Reason::TreeMemory].value = 100 * kMb;
  std::string path = "/var/tmp/onelane-measure-XXXXXX";
  const int fd = ::mkstemp(path.data());
  ASSERT_GE(fd, 0);
  ::unlink(path.c_str());
  const std::string block(kMb, 'x');
  for (int i = 0; i < 150; ++i) {
    ASSERT_EQ(::write(fd, block.data(), block.size()), static_cast<ssize_t>(block.size()));
  }
  start([fd] {
    const auto* map =
        static_cast<const volatile char*>(::mmap(nullptr, 150 * kMb, PROT_READ, MAP_SHARED, fd, 0));
    for (std::size_t at = 0; at < 150 * kMb; at += 4096) {
      (void)map[at];
    }
  });
  ::close(fd);
  const auto stat = sys::read_stat(children_[0]);
  ASSERT_GE(stat->resident, 150 * kMb) << "RSS alone would end it";
  EXPECT_LT(take().bytes, 90 * kMb);
}

TEST_F(MeasureTest, AChargeOfAControlGroupIsALowerBound) {
  measure_.use_charge([] { return std::optional<std::uint64_t>{500 * kMb}; });
  start([] {});
  EXPECT_EQ(take().bytes, 500 * kMb);
}

TEST_F(MeasureTest, AProcessThatIsGoneIsHarmless) {
  const pid_t pid = start([] {});
  const auto stat = sys::read_stat(pid).value();
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  children_.clear();
  EXPECT_EQ(measure_.take(std::vector{stat}).processes.size(), 1U);
}

TEST_F(MeasureTest, AProcessThatEndsDuringTheLookHasNoMemory) {
  limits_[Reason::TreeMemory].value = 150 * kMb;
  void* const heap = map_private(100 * kMb);
  touch(heap, 100 * kMb);
  std::vector<sys::ProcessStat> members;
  for (int worker = 0; worker < 3; ++worker) {
    members.push_back(sys::read_stat(start([] {})).value());
    EXPECT_GE(members.back().resident, 100 * kMb) << "they share the heap";
  }
  for (const pid_t pid : children_) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  children_.clear();
  EXPECT_EQ(measure_.take(members).bytes, 0U);
  ::munmap(heap, 100 * kMb);
}

TEST_F(MeasureTest, ComputingIsActivityAndSleepingIsNot) {
  limits_[Reason::Idle].value = 1;
  start([] {});
  const auto asleep = take().activity;
  EXPECT_EQ(take().activity, asleep);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
      (void)::getppid();
    }
  }
  children_.push_back(pid);
  const auto first = take().activity;
  auto later = first;
  for (int i = 0; i < 100 && later == first; ++i) {
    ::usleep(50'000);
    later = take().activity;
  }
  EXPECT_NE(later, first);
}

// Other tests of this executable may run at the same time, so only this answer is certain.
TEST(RivalsTest, BesideALargerRunOursIsNotTheLargest) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    if (::fork() == 0) {  // the rival: not below us, with a child of 100 MB
      if (::fork() == 0) {
        touch(map_private(100 * kMb), 100 * kMb);
        const pid_t self = ::getpid();
        (void)!::write(ends[1], &self, sizeof self);
        ::alarm(60);
        for (;;) {
          ::pause();
        }
      }
      ::wait(nullptr);
    }
    ::_exit(0);
  }
  ::waitpid(parent, nullptr, 0);
  pid_t hog = 0;
  ASSERT_EQ(::read(ends[0], &hog, sizeof hog), static_cast<ssize_t>(sizeof hog));
  EXPECT_FALSE(is_largest_run());
  ::kill(hog, SIGKILL);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(MachineTest, ItsFiguresArePlausible) {
  const sys::MachineMemory memory = sys::machine_memory();
  EXPECT_GT(memory.total, 100 * kMb);
  EXPECT_GT(memory.available, 0U);
  EXPECT_LE(memory.available, memory.total);
  EXPECT_GT(sys::machine_load().tasks, 1U);
  if (const auto pressure = sys::memory_pressure()) {
    EXPECT_GE(*pressure, 0.0);
    EXPECT_LE(*pressure, 100.0);
  }
}

}  // namespace
}  // namespace onelane::guard
