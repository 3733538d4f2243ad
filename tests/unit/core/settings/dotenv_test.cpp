#include "core/settings/dotenv.hpp"

#include <gtest/gtest.h>

namespace onelane::settings {
namespace {

struct Case {
  const char* line;
  const char* value;
};

TEST(DotenvTest, ValuesAreReadAsWritten) {
  const Case cases[] = {
      {"K=v", "v"},
      {"export K=v", "v"},
      {"  K = v  ", "v"},
      {"K=a b", "a b"},
      {"K=v # note", "v"},
      {"K=v#1", "v#1"},
      {"K=# note", ""},
      {"K=", ""},
      {"K='a # b' # note", "a # b"},
      {"K='$X'", "$X"},
      {"K=\"a\\nb\"", "a\nb"},
      {"K=\"\\\"q\\\"\"", "\"q\""},
      {"K=\"\\$X\\w\"", "$X\\w"},
      {"K=$(id)`id`", "$(id)`id`"},
      {"K=a=b", "a=b"},
      {"\xef\xbb\xbfK=v", "v"},
      {"K=v\r\n", "v"},
  };
  for (const auto& c : cases) {
    const auto entries = parse_dotenv(c.line);
    ASSERT_EQ(entries.size(), 1U) << c.line;
    EXPECT_EQ(entries[0].key, "K") << c.line;
    EXPECT_EQ(entries[0].value, c.value) << c.line;
    EXPECT_TRUE(entries[0].well_formed) << c.line;
  }
}

TEST(DotenvTest, OtherLinesAreLeftOut) {
  EXPECT_TRUE(parse_dotenv("\n# K=v\nulimit -n 1024\n=v\nA-B=1\nA B=1\necho \"K=v\"\n").empty());
}

TEST(DotenvTest, ABadQuoteIsReportedAndAffectsNoOtherLine) {
  const auto entries = parse_dotenv("A='x\nB=\"y\nC='x'y\nD=z\n");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_FALSE(entries[0].well_formed);
  EXPECT_FALSE(entries[1].well_formed);
  EXPECT_FALSE(entries[2].well_formed);
  EXPECT_TRUE(entries[3].well_formed);
  EXPECT_EQ(entries[3].line, 4);
}

TEST(DotenvTest, TheBlockEndsAtItsMarkerOrAtAnEmptyLine) {
  const auto entries = parse_dotenv(
      "A=1\n# onelane\nB=1\n# a comment\nC=1\n# /onelane\nD=1\n"
      "# onelane\nE=1\n \t\nF=1\n");
  ASSERT_EQ(entries.size(), 6U);
  const bool expected[] = {false, true, true, false, true, false};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].in_block, expected[i]) << entries[i].key;
  }
}

}  // namespace
}  // namespace onelane::settings
