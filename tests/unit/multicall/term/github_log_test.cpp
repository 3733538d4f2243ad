#include "multicall/term/github_log.hpp"

#include <gtest/gtest.h>

namespace onelane::multicall {
namespace {

TEST(AnnotationTest, TextCannotEndTheCommandNorBeginAnother) {
  EXPECT_EQ(line_of({.title = "a,b: c", .text = "50%\r\n::warning::x"}),
            "::error title=a%2Cb%3A c::50%25%0D%0A::warning::x\n");
  EXPECT_EQ(line_of({.kind = "warning", .title = "a", .text = "b: c, d"}),
            "::warning title=a::b: c, d\n");
}

}  // namespace
}  // namespace onelane::multicall
