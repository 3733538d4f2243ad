#include "core/journal/usual.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "core/journal/journal.hpp"

namespace onelane::journal {
namespace {

using std::chrono::milliseconds;

class UsualTest : public testing::Test {
 protected:
  UsualTest() {
    std::string pattern = testing::TempDir() + "usual_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    fd_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  ~UsualTest() override {
    ::close(fd_);
    std::filesystem::remove_all(directory_);
  }

  void add(std::vector<std::string> argv, int duration, Reason reason = Reason::Exited,
           int released = 0) const {
    Record record;
    record.id = "aaaaaaaaaaa";
    record.tool = argv.front();
    record.argv = std::move(argv);
    record.duration_ms = duration;
    record.released_ms = released;
    record.reason = reason;
    ASSERT_TRUE(append(fd_, record, {}));
  }

  std::string directory_;
  int fd_ = -1;
};

TEST(KindOf, TakesTheToolAndTwoWords) {
  EXPECT_EQ(kind_of("make"), "make");
  EXPECT_EQ(kind_of("make test"), "make test");
  EXPECT_EQ(kind_of("npm run build -- --watch"), "npm run build");
  EXPECT_EQ(kind_of(""), "");
}

TEST_F(UsualTest, NeedsThreeRunsOfTheKind) {
  add({"make", "test"}, 10);
  add({"make", "test"}, 20);
  add({"make", "all"}, 9'000);
  EXPECT_FALSE(Usual{directory_}.duration_of("make test"));
  add({"make", "test"}, 60);
  EXPECT_EQ(Usual{directory_}.duration_of("make test"), milliseconds{20});
}

TEST_F(UsualTest, LeavesOutRunsThatWereEnded) {
  for (const int duration : {10, 10, 10}) {
    add({"make", "test"}, duration);
  }
  for (int i = 0; i < 9; ++i) {
    add({"make", "test"}, 5'000, Reason::Timeout);
  }
  EXPECT_EQ(Usual{directory_}.duration_of("make test"), milliseconds{10});
}

TEST_F(UsualTest, LeavesOutRunsThatTookAResult) {
  for (const int duration : {10, 10, 10}) {
    add({"make", "test"}, duration);
  }
  Record joined;
  joined.id = "bbbbbbbbbbb";
  joined.argv = {"make", "test"};
  joined.joined = "aaaaaaaaaaa";
  for (int i = 0; i < 9; ++i) {
    ASSERT_TRUE(append(fd_, joined, {}));
  }
  EXPECT_EQ(Usual{directory_}.duration_of("make test"), milliseconds{10});
}

TEST_F(UsualTest, AServersTimeCountsUntilItGaveTheLaneBack) {
  add({"make", "serve"}, 90'000, Reason::Signalled, 20);
  add({"make", "serve"}, 80'000, Reason::Stopped, 30);
  add({"make", "serve"}, 0, Reason::Crashed, 40);  // its end was not seen
  EXPECT_EQ(Usual{directory_}.duration_of("make serve"), milliseconds{30});
}

TEST_F(UsualTest, RemembersWhatItHasRead) {
  for (const int duration : {10, 10, 10}) {
    add({"make", "test"}, duration);
  }
  Usual usual{directory_};
  EXPECT_EQ(usual.duration_of("make test"), milliseconds{10});
  for (int i = 0; i < 9; ++i) {
    add({"make", "test"}, 70);
  }
  EXPECT_EQ(usual.duration_of("make test"), milliseconds{10});
  EXPECT_EQ(Usual{directory_}.duration_of("make test"), milliseconds{70});
}

TEST_F(UsualTest, FollowsTheNewestRuns) {
  for (std::size_t i = 0; i < Usual::kEnough; ++i) {
    add({"make", "test"}, 10);
  }
  for (std::size_t i = 0; i < Usual::kEnough; ++i) {
    add({"make", "test"}, 70);
  }
  EXPECT_EQ(Usual{directory_}.duration_of("make test"), milliseconds{70});
}

TEST_F(UsualTest, ARareKindIsFoundBehindManyRunsOfAnother) {
  for (const int duration : {10, 10, 10}) {
    add({"make", "rare"}, duration);
  }
  for (std::size_t i = 0; i < 4 * Usual::kEnough; ++i) {
    add({"make", "test"}, 70);
  }
  Usual usual{directory_};
  EXPECT_EQ(usual.duration_of("make test"), milliseconds{70});
  EXPECT_EQ(usual.duration_of("make rare"), milliseconds{10});
  EXPECT_EQ(usual.duration_of("make test"), milliseconds{70});
  EXPECT_FALSE(usual.duration_of("make none"));
}

TEST(Usual, KnowsNothingWithoutAJournal) {
  EXPECT_FALSE(Usual{"/nonexistent"}.duration_of("make test"));
}

}  // namespace
}  // namespace onelane::journal
