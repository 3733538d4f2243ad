#include <gmock/gmock.h>

#include "core/journal/record.hpp"
#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ParseTest, WhatIsNoRecordIsNothing) {
  for (const char* line :
       {"", "\n", "null", "[]", "7", "{}", R"({"schema":1})", R"({"id":"abcdefghijk"})",
        R"({"schema":"1","id":"abcdefghijk"})", R"({"schema":0,"id":"abcdefghijk"})",
        R"({"schema":1,"id":7})", R"({"schema":1,"id":""})", R"({"schema":1,"id":"a"})",
        R"({"schema":1,"id":"\u001b[2Jabcdefg"})", R"({"schema":1,"id":"abcdefghij1"})",
        R"({"schema":1,"id":"abcdefghijk")", R"({"schema":1,"id":"abcdefghijk"} x)",
        "{\"schema\":1,\"id\":\"\xff\"}"}) {
    EXPECT_FALSE(parse(line)) << line;
  }
}

TEST(ParseTest, EveryPrefixOfALineIsNothing) {
  const std::string line = to_line(full_record());
  for (std::size_t length = 0; length + 2 <= line.size(); ++length) {
    EXPECT_FALSE(parse(std::string_view{line}.substr(0, length))) << length;
  }
  EXPECT_TRUE(parse(std::string_view{line}.substr(0, line.size() - 1)));
}

TEST(ParseTest, UnknownFieldsAndLaterSchemasAreRead) {
  const auto record =
      parse(R"({"schema":2,"id":"abcdefghijk","new":{"a":[1]},"tool":"make","reason":"tired"})");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->tool, "make");
  EXPECT_EQ(record->reason, Reason::Exited);
}

TEST(ParseTest, AFieldOfAWrongTypeKeepsItsDefault) {
  const auto record =
      parse(R"({"schema":1,"id":"abcdefghijk","tool":7,"argv":"make","uid":-1,"waited_ms":1e300,)"
            R"("code":"0","signal":18446744073709551615,"cpu_ms":1.5,"empty":1,"context":{"a":1},)"
            R"("kept":[1,{"pid":99999999999,"start":-1,"command":[]}],"fence":[[]],"card":3,)"
            R"("reason":null})");
  ASSERT_TRUE(record);
  Record expected = small_record("abcdefghijk");
  expected.kept.emplace_back();
  EXPECT_EQ(*record, expected);
}

TEST(ParseTest, ArraysAreReadAsFarAsTheyFit) {
  const auto record = parse(
      R"({"schema":1,"id":"abcdefghijk","context":[1,"x",3,4,5,6,7,8,9],"argv":["a",2,"c"]})");
  ASSERT_TRUE(record);
  EXPECT_THAT(record->context, ElementsAre(1, 0, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(record->argv, ElementsAre("a", "", "c"));
}

TEST(ParseTest, IdsOfOtherRunsAreIdsOrNothing) {
  const auto record =
      parse(R"({"schema":1,"id":"abcdefghijk","jobs":["a","bbbbbbbbbbb","\u001b[2Jabcdefg"],)"
            R"("batch":"../../../xx","joined":"\u001b[2Jabcdefg"})");
  ASSERT_TRUE(record);
  EXPECT_THAT(record->jobs, ElementsAre("bbbbbbbbbbb"));
  EXPECT_EQ(record->batch, "");
  EXPECT_EQ(record->joined, "");
}

TEST(ParseTest, DepthBombsAndEndlessLinesAreRefused) {
  const std::string head = R"({"schema":1,"id":"abcdefghijk","card":)";
  EXPECT_FALSE(parse(head + std::string(500'000, '[')));
  const std::string bomb = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_FALSE(parse(head + bomb + "}"));
  std::string objects;
  for (int i = 0; i < 100'000; ++i) {
    objects += R"({"a":)";
  }
  EXPECT_FALSE(parse(head + objects + "1" + std::string(100'001, '}')));
  EXPECT_TRUE(parse(head + "\"" + std::string(100'000, '[') + "\"}")) << "only a string";
  EXPECT_FALSE(parse(head + "\"" + std::string(kLongestLine, 'x') + "\"}"));
}

}  // namespace
}  // namespace onelane::journal
