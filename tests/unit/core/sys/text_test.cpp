#include "core/sys/text.hpp"

#include <gtest/gtest.h>

namespace onelane::sys {
namespace {

TEST(CleanTest, EscapesNeverReachATerminal) {
  EXPECT_EQ(clean("a\x1b[31m\xc2\x9b"), "a?[31m??");
  EXPECT_EQ(clean(std::string(100, 'x'), 4), "xxxx...");
}

TEST(Utf8Test, OnlyCompleteSequencesInShortestFormAreValid) {
  for (const std::string text : {"", "a", "plain ASCII, longer than eight", "caf\u00e9 au lait",
                                 "\u20ac\U0001f600", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  EXPECT_TRUE(is_utf8(std::string_view{"a\0b", 3}));
  for (const std::string part :
       {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(part)) << part;
    EXPECT_FALSE(is_utf8("sixteen in front" + part));
    EXPECT_FALSE(is_utf8(part + " followed by sixteen"));
  }
}

}  // namespace
}  // namespace onelane::sys
