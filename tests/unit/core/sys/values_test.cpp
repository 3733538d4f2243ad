#include "core/sys/values.hpp"

#include <gtest/gtest.h>

namespace onelane::sys {
namespace {

using namespace std::chrono_literals;

TEST(DurationTest, PlainNumbersAreSecondsAndUnitsCount) {
  EXPECT_EQ(parse_duration("30"), 30s);
  EXPECT_EQ(parse_duration("2.5"), 2500ms);
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration(" 10 m "), 10min);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("0"), 0s);
  EXPECT_EQ(parse_duration("0.0001"), 1ms) << "not 0, which means none";
}

TEST(DurationTest, AnythingElseIsRejected) {
  for (const auto* text : {"", "-1", "abc", "1d", "1e3", "nan", "inf", "1.2.3", "s", "1s2",
                           "99999999999999999999", "9000h", "0x10", "."}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(DurationTest, FormattedValuesReadBackEqual) {
  for (const auto value : {0ms, 1ms, 1500ms, 59000ms, 60000ms, 5400000ms, 7200000ms}) {
    EXPECT_EQ(parse_duration(format_duration(value)), value);
  }
}

TEST(MegabytesTest, UnitsAreBinary) {
  EXPECT_EQ(parse_megabytes("2048"), 2048U);
  EXPECT_EQ(parse_megabytes("2G"), 2048U);
  EXPECT_EQ(parse_megabytes("512M"), 512U);
  EXPECT_EQ(parse_megabytes("2 gb"), 2048U);
  for (const auto* text : {"", "-1", "2T", "2.5G", "G", "99999999999999999999", "2GiB"}) {
    EXPECT_FALSE(parse_megabytes(text)) << text;
  }
}

TEST(DecimalTest, NegativeAndInfiniteNumbersAreRejected) {
  EXPECT_EQ(parse_decimal("8"), 8.0);
  EXPECT_EQ(parse_decimal(" 2.5 "), 2.5);
  EXPECT_EQ(parse_decimal("0"), 0.0);
  for (const auto* text : {"", "-1", "nan", "inf", "1e3", "8 cpus", "99999999999"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
}

TEST(CpuListTest, RangesAreSortedAndMerged) {
  EXPECT_EQ(parse_cpu_list("0-2,8"), (std::vector{0, 1, 2, 8}));
  EXPECT_EQ(parse_cpu_list("8, 1, 0-1"), (std::vector{0, 1, 8}));
  for (const auto* text : {"", ",", "a", "3-1", "-1", "1024", "0-99999999999", "1-"}) {
    EXPECT_FALSE(parse_cpu_list(text)) << text;
  }
}

TEST(BoolTest, TheUsualWordsCount) {
  for (const auto* text : {"1", "true", "YES", "on"}) {
    EXPECT_EQ(parse_bool(text), true) << text;
  }
  for (const auto* text : {"0", "False", "no", "off"}) {
    EXPECT_EQ(parse_bool(text), false) << text;
  }
  EXPECT_FALSE(parse_bool("2"));
}

}  // namespace
}  // namespace onelane::sys
