#include "core/sys/hex.hpp"

#include <gtest/gtest.h>

namespace onelane::sys {
namespace {

TEST(HexTest, EveryByteBecomesTwoLowerCaseDigitsAndReadsBack) {
  EXPECT_EQ(to_hex(""), "");
  EXPECT_EQ(to_hex(std::string_view{"\0\x0f\x10\xff", 4}), "000f10ff");
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all.push_back(static_cast<char>(byte));
  }
  EXPECT_EQ(from_hex(to_hex(all)), all);
}

TEST(HexTest, TextThatToHexDoesNotWriteIsRefused) {
  EXPECT_EQ(from_hex(""), "");
  for (const char* digits : {"0", "00f", "0g", "g0", "0x", " 1", "1 ", "AB"}) {
    EXPECT_EQ(from_hex(digits), std::nullopt) << digits;
  }
}

TEST(HexTest, ADigitMayHaveEitherCase) {
  EXPECT_EQ(hex_digit('0'), 0U);
  EXPECT_EQ(hex_digit('9'), 9U);
  EXPECT_EQ(hex_digit('a'), 10U);
  EXPECT_EQ(hex_digit('F'), 15U);
  for (const char c : {'g', 'G', '/', ':', '@', '`', '-', '\0', '\x10', '\xff'}) {
    EXPECT_EQ(hex_digit(c), std::nullopt) << c;
  }
}

}  // namespace
}  // namespace onelane::sys
