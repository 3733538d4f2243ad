#include "multicall/term/columns.hpp"

#include <gtest/gtest.h>

namespace onelane::multicall {
namespace {

Columns sample() {
  Columns columns{{{"STATE"}, {"COMMAND", 0, true}, {"BRANCH", 1}, {"EMPTY", 2}}};
  columns.add({"\u2713 ok", "make the whole house and the garden", "main", ""});
  columns.add({"! memory", "caf\u00e9", "a-longer-branch", ""});
  return columns;
}

/// The length of the longest line.
std::size_t width_used(const std::string& text) {
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    longest = std::max(longest, length_of(text.substr(at, end - at)));
    at = end + 1;
  }
  return longest;
}

TEST(Columns, WithoutAWidthNothingIsCut) {
  EXPECT_EQ(sample().text(0),
            "STATE     COMMAND                              BRANCH\n"
            "\u2713 ok      make the whole house and the garden  main\n"
            "! memory  caf\u00e9                                 a-longer-branch\n");
}

TEST(Columns, OneColumnShrinksBeforeOthersAreLeftOut) {
  const std::string narrower = sample().text(56);
  EXPECT_EQ(width_used(narrower), 56U);
  EXPECT_NE(narrower.find("make the whole house and the\u2026"), std::string::npos) << narrower;
  EXPECT_NE(narrower.find("a-longer-branch"), std::string::npos);
  const std::string narrow = sample().text(40);
  EXPECT_LE(width_used(narrow), 40U);
  EXPECT_EQ(narrow.find("branch"), std::string::npos) << narrow;
  for (std::size_t width = 12; width < 80; ++width) {
    EXPECT_LE(width_used(sample().text(width)), width);
  }
}

TEST(Columns, APaintedCellKeepsItsPlace) {
  Columns columns{{{"A"}, {"B"}}};
  columns.add({"ab", "x"}, [](std::string_view text) { return "<" + std::string{text} + ">"; });
  EXPECT_EQ(columns.text(0), "A   B\n<ab>  x\n");
}

TEST(Columns, NumbersAreAlignedToTheRight) {
  Columns columns{{{"WHAT"}, {"RUNS", 0, false, true}, {"LAST"}}};
  columns.add({"make", "7", "x"});
  columns.add({"npm", "12345", "y"});
  EXPECT_EQ(columns.text(0),
            "WHAT   RUNS  LAST\n"
            "make      7  x\n"
            "npm   12345  y\n");
}

TEST(Wrapped, BreaksBetweenWordsAndGoesOnIndented) {
  EXPECT_EQ(wrapped("one two three four\nfive\n", 10, 2), "one two\n  three\n  four\nfive\n");
  EXPECT_EQ(wrapped("one two three", 0, 2), "one two three");
  EXPECT_EQ(wrapped("\033[1mone two\033[0m x", 9, 2), "\033[1mone two\033[0m x");
  EXPECT_EQ(wrapped("aword-that-is-long b", 5, 2), "aword-that-is-long\n  b");
}

}  // namespace
}  // namespace onelane::multicall
