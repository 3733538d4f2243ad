#include "multicall/term/words.hpp"

#include <gtest/gtest.h>

namespace onelane::multicall {
namespace {

TEST(ShellWordTest, QuotesWhatAShellWouldInterpret) {
  EXPECT_EQ(shell_word("/a/b-c.d"), "/a/b-c.d");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("$x`y`"), "'$x`y`'");
}

}  // namespace
}  // namespace onelane::multicall
