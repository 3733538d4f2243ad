#include "core/sys/text.hpp"

#include <gtest/gtest.h>

namespace onelane::sys {
namespace {

TEST(CleanTest, EscapesNeverReachATerminal) {
  EXPECT_EQ(clean("a\x1b[31m\xc2\x9b"), "a?[31m??");
  EXPECT_EQ(clean(std::string(100, 'x'), 4), "xxxx...");
}

}  // namespace
}  // namespace onelane::sys
