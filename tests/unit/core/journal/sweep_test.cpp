#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <ctime>

#include "core/journal/run_log.hpp"
#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SweepTest : public SceneTest {
 protected:
  void make(const std::string& name, int days_old, std::size_t size = 10) const {
    write(at(name), std::string(size, 'x'));
    const struct timespec then { std::time(nullptr) - days_old * 86'400, 0 };
    const struct timespec times[] = {then, then};
    ASSERT_EQ(::utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator{directory_}) {
      out.push_back(entry.path().filename());
    }
    return out;
  }
};

TEST_F(SweepTest, OnlyOldRunLogsAreDeleted) {
  make("aaaaaaaaaaa.log", 30);
  make("aaaaaaaaaaa.log.1", 30);
  make("aaaaaaaaaaa.out", 30);
  make("aaaaaaaaaaa.out.1", 30);
  make("aaaaaaaaaaa.parts", 30);
  make("bbbbbbbbbbb.log", 1);
  for (const char* foreign :
       {"aaaaaaaaaaa.txt", "aaaaaaaaaa.log", "aaaaaaaaaaaa.log", "runs.jsonl", "aaaaaaaaaaa.log.x",
        "aaaaaaaaaaa.log.11", "aaaaaaaaaa1.log", "AAAAAAAAAAA.log", "aaaaaaaaaaa.log~"}) {
    make(foreign, 30);
  }
  std::filesystem::create_directory(at("ccccccccccc.log"));
  write(at("target"), "x");
  std::filesystem::create_symlink(at("target"), at("ddddddddddd.log"));
  make("ddddddddddd.log", 30);
  EXPECT_EQ(sweep(directory_, {.newest = 0}), 5U);
  EXPECT_THAT(names(), UnorderedElementsAre("bbbbbbbbbbb.log", "aaaaaaaaaaa.txt", "aaaaaaaaaa.log",
                                            "aaaaaaaaaaaa.log", "runs.jsonl", "aaaaaaaaaaa.log.x",
                                            "aaaaaaaaaaa.log.11", "aaaaaaaaaa1.log",
                                            "AAAAAAAAAAA.log", "aaaaaaaaaaa.log~",
                                            "ccccccccccc.log", "target", "ddddddddddd.log"));
}

TEST_F(SweepTest, TheSumOfSizesIsKeptFromTheNewestOn) {
  make("aaaaaaaaaaa.log", 1, 400);
  make("bbbbbbbbbbb.log", 2, 400);
  make("ccccccccccc.log", 3, 400);
  EXPECT_EQ(sweep(directory_, {.bytes = 900, .newest = 0}), 1U);
  EXPECT_THAT(names(), UnorderedElementsAre("aaaaaaaaaaa.log", "bbbbbbbbbbb.log"));
}

TEST_F(SweepTest, TheNewestStayWhateverTheirAgeAndSize) {
  make("aaaaaaaaaaa.log", 40, 400);
  make("bbbbbbbbbbb.log", 50, 400);
  make("ccccccccccc.log", 60, 400);
  EXPECT_EQ(sweep(directory_, {.bytes = 1, .newest = 2}), 1U);
  EXPECT_THAT(names(), UnorderedElementsAre("aaaaaaaaaaa.log", "bbbbbbbbbbb.log"));
}

TEST_F(SweepTest, AMissingOrLinkedDirectoryIsNotSwept) {
  EXPECT_EQ(sweep(at("nowhere"), {}), 0U);
  make("aaaaaaaaaaa.log", 30);
  std::filesystem::create_directory_symlink(directory_, at("link"));
  EXPECT_EQ(sweep(at("link"), {.newest = 0}), 0U);
}

TEST_F(SweepTest, ANewLogSweeps) {
  make("aaaaaaaaaaa.log", 30);
  RunLog log{directory_, "bbbbbbbbbbb", {.newest = 1}};
  log.write(Level::Info, "x");
  EXPECT_THAT(names(), UnorderedElementsAre("bbbbbbbbbbb.log"));
}

}  // namespace
}  // namespace onelane::journal
