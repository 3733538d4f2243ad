#include "multicall/cli/shared_options.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace onelane::multicall {
namespace {

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kNow = 1'795'000'000'000;

TEST(ParseSince, SpansCountBackwards) {
  EXPECT_EQ(parse_since("7d", kNow), kNow - 7 * kDay);
  EXPECT_EQ(parse_since("2w", kNow), kNow - 14 * kDay);
  EXPECT_EQ(parse_since("3h", kNow), kNow - kDay / 8);
  EXPECT_EQ(parse_since("45m", kNow), kNow - 45 * 60'000);
  EXPECT_EQ(parse_since("30s", kNow), kNow - 30'000);
  EXPECT_EQ(parse_since("36500d", kNow), 0);  // longer ago than the epoch
}

TEST(ParseSince, DatesAreLocal) {
  std::tm date{};
  date.tm_year = 126;
  date.tm_mon = 10;
  date.tm_mday = 1;
  date.tm_isdst = -1;
  const std::int64_t midnight = std::int64_t{std::mktime(&date)} * 1000;
  EXPECT_EQ(parse_since("2026-11-01", kNow), midnight);
  EXPECT_EQ(parse_since("2026-11-01T12:30", kNow), midnight + 45'000'000);
  EXPECT_EQ(parse_since("2026-11-01 12:30:05", kNow), midnight + 45'005'000);
}

TEST(ParseSince, RefusesAnythingElse) {
  for (const char* text : {"", "7", "d", "-3h", "7x", "99999999d", "yesterday", "2026-02-31",
                           "2026-13-01", "2026-11-01x", "11/01/2026"}) {
    EXPECT_EQ(parse_since(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace onelane::multicall
