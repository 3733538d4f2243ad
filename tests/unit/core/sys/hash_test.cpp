#include "core/sys/hash.hpp"

#include <gtest/gtest.h>

namespace onelane::sys {
namespace {

// Test vectors published by the authors of FNV.
TEST(HashTest, KnownAnswers) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8U);
  EXPECT_EQ(fnv1a<std::uint32_t>(""), 0x811c9dc5U);
  EXPECT_EQ(fnv1a<std::uint32_t>("a"), 0xe40c292cU);
  EXPECT_EQ(fnv1a<std::uint32_t>("foobar"), 0xbf9cf968U);
}

TEST(HashTest, PiecesHashLikeTheWhole) {
  EXPECT_EQ(fnv1a("bar", fnv1a("foo")), fnv1a("foobar"));
  EXPECT_EQ(fnv1a(std::string_view{"\0", 1}), 0xaf63bd4c8601b7dfU);
}

TEST(HashTest, BytesOfAnObjectAreInMemoryOrder) {
  const std::uint16_t number = 0x6161;
  EXPECT_EQ(bytes_of(number), "aa");
}

}  // namespace
}  // namespace onelane::sys
