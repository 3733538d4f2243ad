#include "multicall/monitor/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "multicall/view/overview.hpp"
#include "tests/unit/multicall/monitor/scene.hpp"

namespace onelane::multicall::monitor {
namespace {

class TextTest : public testing::Test {
 protected:
  void SetUp() override { use_utf8(); }
};

TEST_F(TextTest, WhatMovesACursorBecomesAQuestionMark) {
  EXPECT_EQ(clean_text("a\033[2Jb\r\n\tc\x7f", true), "a?[2Jb???c?");
  EXPECT_EQ(clean_text("\xc2\x9b", true), "?");      // CSI of one character
  EXPECT_EQ(clean_text("\xff\xfe", true), "??");     // not UTF-8
  EXPECT_EQ(clean_text("\u202egpj", true), "?gpj");  // right to left from here on
}

TEST_F(TextTest, WithoutUnicodeOnlyAsciiIsLeft) {
  EXPECT_EQ(clean_text("caf\u00e9 \u6f22", false), "caf? ?");
}

TEST_F(TextTest, CombiningCharactersStayFewAndOnABase) {
  EXPECT_EQ(clean_text("\u0301a\u0301\u0301\u0301\u0301b", true), "a\u0301\u0301b");
}

TEST_F(TextTest, ColumnsAreCountedAsATerminalDoes) {
  EXPECT_EQ(columns_of("abc"), 3U);
  EXPECT_EQ(columns_of("\u6f22\u5b57"), 4U);
  EXPECT_EQ(columns_of("e\u0301"), 1U);
}

TEST_F(TextTest, AWideCharacterIsNeverCutInTwo) {
  EXPECT_EQ(clip("\u6f22\u5b57", 4, true), "\u6f22\u5b57");
  EXPECT_EQ(clip("\u6f22\u5b57", 3, true), "\u6f22\u2026");
  EXPECT_EQ(clip("\u6f22\u5b57", 2, true), "\u2026");
  EXPECT_EQ(left("\u6f22\u5b57", 3, false), "\u6f22~");
  EXPECT_EQ(left("ab", 4, true), "ab  ");
  EXPECT_EQ(right("ab", 4), "  ab");
  EXPECT_EQ(clip("ab", 0, true), "");
}

TEST_F(TextTest, ALongHostileLineIsCut) {
  EXPECT_LT(clean_text(std::string(65'536, '\033'), true).size(), 2'100U);
}

TEST_F(TextTest, SizesReadWell) {
  EXPECT_EQ(size_words(std::uint64_t{300} << 10U), "0.3 MB");
  EXPECT_EQ(size_words(std::uint64_t{812} << 20U), "812 MB");
  EXPECT_EQ(size_words(std::uint64_t{1023} << 20U), "1023 MB");
  EXPECT_EQ(size_words(std::uint64_t{1} << 30U), "1.0 GB");
  EXPECT_EQ(size_words(std::uint64_t{16} << 30U), "16.0 GB");
  EXPECT_EQ(share_words(std::uint64_t{8} << 20U, std::uint64_t{2} << 30U), "8 of 2048 MB");
  EXPECT_EQ(share_words(std::uint64_t{8} << 30U, std::uint64_t{16} << 30U), "8.0 of 16.0 GB");
}

}  // namespace
}  // namespace onelane::multicall::monitor
