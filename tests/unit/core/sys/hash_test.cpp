#include "core/sys/hash.hpp"

#include <gtest/gtest.h>

#include <string>

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

TEST(HashTest, AChecksumSeesEachBit) {
  std::string bytes(68, 'x');
  const std::uint32_t before = checksum_of(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const char mask = static_cast<char>(1U << bit % 8);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
    EXPECT_NE(checksum_of(bytes), before) << "bit " << bit;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ mask);
  }
  EXPECT_EQ(checksum_of(bytes), before);
}

TEST(HashTest, BytesOfAnObjectAreInMemoryOrder) {
  const std::uint16_t number = 0x6161;
  EXPECT_EQ(bytes_of(number), "aa");
}

}  // namespace
}  // namespace onelane::sys
