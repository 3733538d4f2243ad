#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cerrno>
#include <set>

#include "core/sys/byte_lock.hpp"
#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AppendTest : public SceneTest {
 protected:
  /// Limits the size of files for the calling process, with SIGXFSZ at its default.
  static void limit_files(rlim_t bytes) {
    const struct rlimit limit { bytes, bytes };
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    ::signal(SIGXFSZ, SIG_DFL);
  }
  [[nodiscard]] mode_t mode_of(const std::string& path) const {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
  }
};

TEST_F(AppendTest, RecordsFollowEachOther) {
  EXPECT_TRUE(add(small_record("abcdefghijk", 1)));
  EXPECT_TRUE(add(full_record()));
  EXPECT_EQ(text(journal()), to_line(small_record("abcdefghijk", 1)) + to_line(full_record()));
}

TEST_F(AppendTest, ANewFileHasTheRequestedModeWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{0077}}) {
    for (const unsigned mode : {0600U, 0660U}) {
      const mode_t before = ::umask(mask);
      EXPECT_TRUE(add(small_record("abcdefghijk"), {.mode = mode}));
      ::umask(before);
      EXPECT_EQ(mode_of(journal()), mode);
      std::filesystem::remove(journal());
    }
  }
}

TEST_F(AppendTest, AFileMadeByRootBelongsToTheOwnerOfTheDirectory) {
  if (::geteuid() != 0) {
    GTEST_SKIP() << "only root can give files away";
  }
  ASSERT_EQ(::chown(directory_.c_str(), 12345, 12346), 0);
  EXPECT_TRUE(add(small_record("abcdefghijk")));
  struct stat info {};
  ASSERT_EQ(::stat(journal().c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 12345U);
  EXPECT_EQ(info.st_gid, 12346U);
}

TEST_F(AppendTest, ANonRegularFileIsRefused) {
  write(at("elsewhere"), "");
  std::filesystem::create_symlink(at("elsewhere"), journal());
  EXPECT_FALSE(add(small_record("abcdefghijk")));
  EXPECT_EQ(text(at("elsewhere")), "");
  std::filesystem::remove(journal());
  std::filesystem::create_directory(journal());
  EXPECT_FALSE(add(small_record("abcdefghijk")));
  std::filesystem::remove(journal());
  ASSERT_EQ(::mkfifo(journal().c_str(), 0600), 0);
  EXPECT_FALSE(add(small_record("abcdefghijk"))) << "and does not wait for a reader";
}

TEST_F(AppendTest, AnInvalidDirectoryOnlyLosesTheRecord) {
  write(at("file"), "");
  const auto file = sys::open_file(at("file"), O_RDONLY);
  EXPECT_FALSE(append(file.get(), small_record("abcdefghijk"), {}));
  EXPECT_FALSE(append(-1, small_record("abcdefghijk"), {}));
  std::filesystem::create_directory(at("gone"));
  const auto gone = sys::open_file(at("gone"), O_RDONLY | O_DIRECTORY);
  std::filesystem::remove(at("gone"));
  EXPECT_FALSE(append(gone.get(), small_record("abcdefghijk"), {}));
}

TEST_F(AppendTest, AFullDiskTearsOneLineAndRaisesNoSignal) {
  ASSERT_TRUE(add(small_record("abcdefghijk", 1)));
  const auto room = static_cast<rlim_t>(text(journal()).size() + 20);
  const int status = in_child([&] {
    limit_files(room);
    const bool torn = add(small_record("abcdefghijk", 2));
    const bool none = add(small_record("abcdefghijk", 3));
    sigset_t pending;
    ::sigpending(&pending);
    return torn || none || ::sigismember(&pending, SIGXFSZ) == 1 ? 1 : 0;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(text(journal()).size(), room);
  EXPECT_TRUE(add(small_record("abcdefghijk", 4)));
  EXPECT_THAT(fences(), ElementsAre(1, 4)) << "not glued to the torn line";
}

TEST_F(AppendTest, ABlockedSignalIsNotLeftPending) {
  const int status = in_child([&] {
    limit_files(0);
    sigset_t blocked;
    sigset_t after;
    ::sigfillset(&blocked);
    ::sigprocmask(SIG_SETMASK, &blocked, nullptr);
    const bool lost = !add(small_record("abcdefghijk"));
    ::sigpending(&after);
    const bool is_pending = ::sigismember(&after, SIGXFSZ) == 1;
    ::sigprocmask(SIG_BLOCK, nullptr, &after);
    return lost && !is_pending && ::sigismember(&after, SIGXFSZ) == 1 ? 0 : 1;
  });
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(AppendTest, AFileThatGrewTooLongIsPutAside) {
  const Rotation rotation{.max_bytes = 1, .keep = 2};
  for (std::uint64_t i = 1; i <= 5; ++i) {
    EXPECT_TRUE(add(small_record("abcdefghijk", i), rotation));
  }
  EXPECT_THAT(fences(), ElementsAre(4, 5)) << "the oldest are dropped";
  EXPECT_FALSE(std::filesystem::exists(journal()));
  EXPECT_TRUE(std::filesystem::exists(at("runs.jsonl.2")));
  EXPECT_FALSE(std::filesystem::exists(at("runs.jsonl.3")));
}

TEST_F(AppendTest, AGapLeftByAKilledRotationIsFilledAndLosesNothing) {
  write(at("runs.jsonl.1"), to_line(small_record("abcdefghijk", 2)));
  write(at("runs.jsonl.3"), to_line(small_record("abcdefghijk", 1)));
  EXPECT_TRUE(add(small_record("abcdefghijk", 3), {.max_bytes = 1, .keep = 3}));
  EXPECT_THAT(fences(), ElementsAre(1, 2, 3));
}

TEST_F(AppendTest, OfTwoWritersThatWantToRotateOneDoes) {
  ASSERT_TRUE(add(small_record("abcdefghijk", 1)));
  const auto first = sys::open_file(journal(), O_WRONLY);
  const auto second = sys::open_file(journal(), O_WRONLY);
  rotate(fd_.get(), first.get(), 4);
  EXPECT_TRUE(std::filesystem::exists(at("runs.jsonl.1")));
  ASSERT_TRUE(add(small_record("abcdefghijk", 2)));
  rotate(fd_.get(), second.get(), 4);  // its file no longer has that name
  EXPECT_TRUE(std::filesystem::exists(journal()));
  EXPECT_FALSE(std::filesystem::exists(at("runs.jsonl.2")));
}

TEST_F(AppendTest, WhileOneProcessRotatesNoOtherRotatesOrWaits) {
  ASSERT_TRUE(add(small_record("abcdefghijk", 1)));
  const auto rotating = sys::open_file(journal(), O_WRONLY);
  ASSERT_TRUE(sys::try_lock_byte(rotating.get(), off_t{1} << 40, sys::LockKind::Write));
  EXPECT_TRUE(add(small_record("abcdefghijk", 2), {.max_bytes = 1}));
  EXPECT_TRUE(std::filesystem::exists(journal()));
  EXPECT_FALSE(std::filesystem::exists(at("runs.jsonl.1")));
}

TEST_F(AppendTest, NoRecordOfManyWritersIsLostOrTornWhileFilesRotate) {
  constexpr std::uint64_t kWriters = 8;
  constexpr std::uint64_t kRecords = 500;
  Record record = full_record();
  // About 1200 bytes per record: 4000 of them fill 12 of the 17 files.
  const Rotation rotation{.max_bytes = off_t{400} << 10, .keep = kMostRotated};
  std::vector<pid_t> writers;
  for (std::uint64_t w = 0; w < kWriters; ++w) {
    writers.push_back(::fork());
    if (writers.back() == 0) {
      bool all = true;
      for (std::uint64_t i = 1; i <= kRecords; ++i) {
        record.fence = w * kRecords + i;
        all = add(record, rotation) && all;
      }
      ::_exit(all ? 0 : 1);
    }
  }
  for (const pid_t writer : writers) {
    int status = -1;
    ASSERT_EQ(::waitpid(writer, &status, 0), writer);
    EXPECT_EQ(status, 0);
  }
  EXPECT_TRUE(std::filesystem::exists(at("runs.jsonl.2"))) << "there was something to rotate";
  EXPECT_FALSE(std::filesystem::exists(at("runs.jsonl.16"))) << "nothing was dropped";
  const auto found = fences();
  EXPECT_EQ(found.size(), kWriters * kRecords);
  EXPECT_EQ((std::set<std::uint64_t>{found.begin(), found.end()}).size(), kWriters * kRecords);
}

}  // namespace
}  // namespace onelane::journal
