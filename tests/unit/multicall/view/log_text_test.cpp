#include "multicall/view/follow_runs.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "multicall/view/newest_logs.hpp"

namespace onelane::multicall {
namespace {

constexpr const char* kId = "abcdefghijk";

class LogTailTest : public testing::Test {
 protected:
  LogTailTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "logs-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LogTailTest() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string at(const std::string& name) const { return directory_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream{at(name), std::ios::binary | std::ios::app} << text;
  }
  static std::vector<std::string> texts(const std::vector<LogLine>& lines) {
    std::vector<std::string> out;
    for (const LogLine& line : lines) {
      out.push_back(line.text);
    }
    return out;
  }
  using Texts = std::vector<std::string>;

  std::string directory_;
};

TEST_F(LogTailTest, WhatWasPutAsideComesFirst) {
  write("abcdefghijk.log.1", "one\ntwo\n");
  write("abcdefghijk.log", "three\n");
  LogTail log{directory_, kId};
  EXPECT_EQ(texts(log.next()), (Texts{"one", "two", "three"}));
  EXPECT_TRUE(log.next().empty());
}

TEST_F(LogTailTest, TheOutputOfARunIsReadTheSameWay) {
  write("abcdefghijk.out.1", "one\n");
  write("abcdefghijk.out", "2026-11-21T12:00:00.123Z two\n");
  write("abcdefghijk.log", "three\n");
  LogTail output{directory_, kId, ".out"};
  const auto lines = output.next();
  EXPECT_EQ(texts(lines), (Texts{"one", "2026-11-21T12:00:00.123Z two"}));
  EXPECT_EQ(lines.back().time, "");  // what looks like a time is the tool's
}

TEST_F(LogTailTest, FollowsWhatComes) {
  LogTail log{directory_, kId};
  EXPECT_TRUE(log.next().empty());
  write("abcdefghijk.log", "one\nhal");
  EXPECT_EQ(texts(log.next()), (Texts{"one"}));
  write("abcdefghijk.log", "f\n");
  EXPECT_EQ(texts(log.next()), (Texts{"half"}));
  write("abcdefghijk.log", "before\n");
  std::filesystem::rename(at("abcdefghijk.log"), at("abcdefghijk.log.1"));
  write("abcdefghijk.log", "after\ntorn");
  EXPECT_EQ(texts(log.next()), (Texts{"before", "after"}));
  EXPECT_EQ(texts(log.rest()), (Texts{"torn"}));
  EXPECT_TRUE(log.rest().empty());
}

TEST_F(LogTailTest, LinesAreMadePrintable) {
  write("abcdefghijk.log", "a\033[2Jb\xff\n" + std::string(200'000, 'x') + "\nlast\n");
  LogTail log{directory_, kId};
  const auto lines = texts(log.next());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "a?[2Jb?");
  EXPECT_LT(lines[1].size(), 70'000U);
  EXPECT_EQ(lines[2], "last");
}

TEST_F(LogTailTest, LinksAndFifosAreNoLogs) {
  write("secret", "secret\n");
  std::filesystem::create_symlink(at("secret"), at("abcdefghijk.log"));
  ASSERT_EQ(::mkfifo(at("abcdefghijk.log.1").c_str(), 0600), 0);
  LogTail log{directory_, kId};
  EXPECT_TRUE(log.next().empty());
  EXPECT_TRUE((LogTail{directory_, "../secret"}.next().empty()));
}

TEST_F(LogTailTest, ATimeGoesOnToLinesWithoutOne) {
  write("abcdefghijk.log", "2026-11-21T12:00:00.123Z WARN a\nb\n");
  LogTail log{directory_, kId};
  const auto lines = log.next();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1].time, "2026-11-21T12:00:00.123Z");
  EXPECT_EQ(wall_ms_of(lines[1].time), 1'795'262'400'123);
  EXPECT_EQ(wall_ms_of("2026-11-21T12:00:00.1x3Z"), std::nullopt);
  EXPECT_EQ(wall_ms_of("b"), std::nullopt);
}

TEST_F(LogTailTest, TheNewestLogsComeFirst) {
  write("aaaaaaaaaaa.log", "");
  write("bbbbbbbbbbb.log", "");
  write("notarunid.log", "");
  namespace fs = std::filesystem;
  fs::last_write_time(at("bbbbbbbbbbb.log"),
                      fs::last_write_time(at("aaaaaaaaaaa.log")) - std::chrono::hours{1});
  EXPECT_EQ(newest_logs(directory_, 9), (Texts{"aaaaaaaaaaa", "bbbbbbbbbbb"}));
  EXPECT_EQ(newest_logs(directory_, 1), (Texts{"aaaaaaaaaaa"}));
  EXPECT_TRUE(newest_logs(at("none"), 9).empty());
}

}  // namespace
}  // namespace onelane::multicall
