#include "core/sys/run_id.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace onelane::sys {
namespace {

TEST(RunIdTest, HasElevenOfItsLetters) {
  EXPECT_TRUE(is_run_id("abcdefghijk"));
  EXPECT_TRUE(is_run_id("22345678xyz"));
  for (const char* text : {"", "a", "abcdefghij", "abcdefghijkm", "abcdefghij1", "abcdefghijl",
                           "Abcdefghijk", "abcdefghij,", "../../../xx", "\x1b[2Jabcdefg"}) {
    EXPECT_FALSE(is_run_id(text)) << text;
  }
}

TEST(RunIdTest, IsNamedWholeOrNotAtAll) {
  const std::string held = "aaaaaaaaaaa,bbbbbbbbbbb";
  EXPECT_TRUE(names_run(held, "aaaaaaaaaaa"));
  EXPECT_TRUE(names_run(held, "bbbbbbbbbbb"));
  EXPECT_FALSE(names_run(held, "a"));
  EXPECT_FALSE(names_run(held, ""));
  EXPECT_FALSE(names_run(held, held));
  EXPECT_FALSE(names_run(held, "abbbbbbbbbb"));
  EXPECT_FALSE(names_run(held, "aaaaaaaaaaa,"));
  EXPECT_FALSE(names_run("aaaaaaaaaaaa", "aaaaaaaaaaa"));
  EXPECT_FALSE(names_run("a", "a")) << "no run id";
}

TEST(RunIdTest, InvalidIdsAreSkipped) {
  std::vector<std::string> ids;
  for_each_run(",x,aaaaaaaaaaa,,\x1b,bbbbbbbbbbb,ccccccccccc1",
               [&](std::string_view id) { ids.emplace_back(id); });
  EXPECT_EQ(ids, (std::vector<std::string>{"aaaaaaaaaaa", "bbbbbbbbbbb"}));
}

}  // namespace
}  // namespace onelane::sys
