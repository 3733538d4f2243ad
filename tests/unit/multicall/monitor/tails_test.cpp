#include "multicall/monitor/stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace onelane::multicall::monitor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kRun = "abcdefghijk";

class LogTailsTest : public testing::Test {
 protected:
  LogTailsTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "tails-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    logs_.emplace(directory_);
  }
  ~LogTailsTest() override { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string log() const { return directory_ + "/" + kRun + ".log"; }
  void write(const std::string& level, const std::string& text) const {
    std::ofstream{log(), std::ios::app} << "2026-11-21T12:00:00.123Z " << level << " " << text
                                        << "\n";
  }

  std::string directory_;
  std::optional<LogTails> logs_;
};

TEST_F(LogTailsTest, GivesWarningsAloneAndOnce) {
  write("WARN", "old");
  logs_->skip(kRun);
  write("INFO", "a WARN in it");
  write("WARN", "new");
  EXPECT_THAT(logs_->read(kRun), ElementsAre("new"));
  EXPECT_THAT(logs_->read(kRun), IsEmpty());
}

TEST_F(LogTailsTest, GoesOnInTheNextFile) {
  write("WARN", "first");
  EXPECT_THAT(logs_->read(kRun), ElementsAre("first"));
  write("WARN", "before");
  std::filesystem::rename(log(), log() + ".1");
  write("WARN", "after");
  EXPECT_THAT(logs_->read(kRun), ElementsAre("before", "after"));
}

TEST_F(LogTailsTest, ALongLineHidesNothingBehindIt) {
  write("INFO", std::string(1 << 20, 'x'));
  write("WARN", "behind");
  EXPECT_THAT(logs_->read(kRun), ElementsAre("behind"));
}

}  // namespace
}  // namespace onelane::multicall::monitor
