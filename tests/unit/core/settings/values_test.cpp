#include "core/settings/values.hpp"

#include <gtest/gtest.h>

#include "core/settings/sha256.hpp"

namespace onelane::settings {
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

TEST(DurationTest, AnythingElseIsNothing) {
  for (const auto* text : {"", "-1", "abc", "1d", "1e3", "nan", "inf", "1.2.3", "s", "1s2",
                           "99999999999999999999", "9000h", "0x10", "."}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(DurationTest, WhatIsFormattedReadsBackEqual) {
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

TEST(DecimalTest, NegativeAndEndlessNumbersAreNothing) {
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

TEST(CleanTest, EscapesNeverReachATerminal) {
  EXPECT_EQ(clean("a\x1b[31m\xc2\x9b"), "a?[31m??");
  EXPECT_EQ(clean(std::string(100, 'x'), 4), "xxxx...");
}

// FIPS 180-4 examples, and the lengths at which the padding changes.
TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(sha256(std::string(55, 'x')),
            "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  EXPECT_EQ(sha256(std::string(56, 'x')),
            "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  EXPECT_EQ(sha256(std::string(63, 'x')),
            "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  EXPECT_EQ(sha256(std::string(64, 'x')),
            "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
  EXPECT_EQ(sha256(std::string(119, 'x')),
            "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c");
  EXPECT_EQ(sha256(std::string(120, 'x')),
            "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98");
}

}  // namespace
}  // namespace onelane::settings
