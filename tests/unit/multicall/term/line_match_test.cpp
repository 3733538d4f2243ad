#include "multicall/term/line_match.hpp"

#include <gtest/gtest.h>

namespace onelane::multicall {
namespace {

/// Whether `text` is found in `output`, which must not depend on how it is cut into pieces.
bool sees(const std::string& text, const std::string& output) {
  LineMatch whole{text};
  LineMatch pieces{text};
  const bool seen = whole.add(output);
  bool seen_in_pieces = false;
  for (const char c : output) {
    seen_in_pieces = pieces.add({&c, 1});
  }
  EXPECT_EQ(seen, seen_in_pieces) << output;
  return seen;
}

TEST(LineMatchTest, FindsATextAnywhereInALine) {
  EXPECT_TRUE(sees("ready", "ready\n"));
  EXPECT_TRUE(sees("ready", "first\nis ready now\n"));
  EXPECT_FALSE(sees("ready", "read\ny\n"));
  EXPECT_FALSE(sees("ready", ""));
}

TEST(LineMatchTest, FindsATextBeforeTheLineEnds) {
  EXPECT_TRUE(sees("ready", "is ready"));
  EXPECT_TRUE(sees("one", "not one"));
}

TEST(LineMatchTest, FindsATextThatBeginsInsideAFailedMatch) {
  EXPECT_TRUE(sees("aab", "aaab"));
  EXPECT_TRUE(sees("abab!", "ababab!"));
  EXPECT_TRUE(sees("aaaa", "aaabaaaa"));
  EXPECT_FALSE(sees("abab!", "abab abab"));
}

TEST(LineMatchTest, EscapeSequencesDoNotCount) {
  EXPECT_TRUE(sees("ready in", "\x1b[32;1mre\x1b[0mady\x1b(B in"));
  EXPECT_TRUE(sees("a link here", "a \x1b]8;;http://x/ready\x1b\\link\x1b]8;;\x07 here"));
  EXPECT_FALSE(sees("title", "\x1b]0;title\x07\n"));
  EXPECT_FALSE(sees("2m", "\x1b[32mgreen\n"));
}

TEST(LineMatchTest, ACarriageReturnBeginsALine) {
  EXPECT_FALSE(sees("12 of", "1\r2 of"));
  EXPECT_TRUE(sees("2 of", "1\r2 of"));
}

TEST(LineMatchTest, AnUnfinishedSequenceEndsWithItsLine) {
  EXPECT_TRUE(sees("ready", "\x1b]0;title\nready"));
}

TEST(LineMatchTest, IgnoresOurOwnLines) {
  EXPECT_FALSE(sees("waiting", "onelane: waiting for npm run waiting\n"));
  EXPECT_FALSE(sees("one", "onelane: \n"));
  EXPECT_FALSE(sees("waiting", "\r\x1b[Konelane: waiting\n"));
  EXPECT_TRUE(sees("one", "one\n"));
  EXPECT_TRUE(sees("one", "onerous"));
  EXPECT_TRUE(sees("waiting", "onelane: waiting\nnow waiting"));
}

TEST(LineMatchTest, OnceSeenItStaysSeen) {
  LineMatch match{"a"};
  EXPECT_TRUE(match.add("a"));
  EXPECT_TRUE(match.add("b\n"));
}

}  // namespace
}  // namespace onelane::multicall
