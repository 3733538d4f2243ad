#include "core/sys/base64.hpp"

#include <gtest/gtest.h>

namespace onelane::sys {
namespace {

TEST(Base64Test, EncodesAsInTheExamplesOfTheRfc) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64({"\xff\x00\xfe", 3}), "/wD+");
}

}  // namespace
}  // namespace onelane::sys
