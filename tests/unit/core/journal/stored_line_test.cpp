#include "core/journal/stored_line.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

/// What a reader would write again, as far as as_stored has it.
std::string written_again(const std::string& line) {
  Record record = parse(line).value_or(Record{});
  record.context = {};
  std::string text = to_line(record);
  text.erase(text.rfind('}'));
  return text;
}

Record plain_record() {
  Record record = full_record();
  record.argv = {"make", "", "a \"b\" \\ c"};
  record.branch = "main";
  record.kept.clear();
  record.survivors.clear();
  record.card.clear();
  for (std::string* text : {&record.project, &record.lane, &record.tool, &record.cwd, &record.label,
                            &record.cls, &record.user, &record.tty, &record.agent}) {
    *text = "plain";
  }
  return record;
}

TEST(StoredLineTest, WhatToLineWroteIsTakenAsItStands) {
  Record failed = plain_record();
  failed.code = 0;
  failed.context = {};
  failed.reason = Reason::Memory;
  for (const Record& record : {plain_record(), failed, small_record("abcdefghijk", 1)}) {
    const std::string line = to_line(record);
    for (const std::string& text : {line, line.substr(0, line.size() - 1)}) {
      const auto stored = as_stored(text);
      ASSERT_TRUE(stored) << text;
      EXPECT_EQ(std::string{stored->before} + std::string{stored->behind}, written_again(text));
      EXPECT_EQ(std::string{stored->behind}.find("context"), std::string::npos);
    }
  }
}

TEST(StoredLineTest, WhatIsRareIsLeftToParse) {
  EXPECT_FALSE(as_stored(to_line(full_record())));
  Record record = plain_record();
  record.label = "caf\xc3\xa9";
  EXPECT_FALSE(as_stored(to_line(record)));
  record = plain_record();
  record.card = "{}";
  EXPECT_FALSE(as_stored(to_line(record)));
  record = plain_record();
  record.argv = {std::string(5000, 'x')};
  EXPECT_FALSE(as_stored(to_line(record)));
}

/// No change of a line may be taken for the line itself: what is taken is what is written again.
TEST(StoredLineTest, WhateverIsTakenIsWhatWouldBeWrittenAgain) {
  const std::string line = to_line(plain_record());
  std::size_t taken = 0;
  const auto look = [&](const std::string& changed) {
    if (const auto stored = as_stored(changed)) {
      ++taken;
      EXPECT_EQ(std::string{stored->before} + std::string{stored->behind}, written_again(changed))
          << changed;
    }
  };
  for (std::size_t i = 0; i < line.size(); ++i) {
    look(line.substr(0, i));
    look(line.substr(0, i) + line.substr(i + 1));
    for (const char* byte :
         {"0", "1", "-", "\"", "\\", ",", "}", "]", " ", "x", "\n", "\x7f", "."}) {
      look(line.substr(0, i) + byte + line.substr(i + 1));
      look(line.substr(0, i) + byte + line.substr(i));
    }
  }
  EXPECT_GT(taken, 1'000U);  // letters and digits of values may change
  look(R"({"schema":1,"id":"abcdefghijk","code":0,"reason":"exited","new_field":1})"
       "\n");
  look(R"({"schema":1,"id":"abcdefghijk","reason":"exited","code":0})"
       "\n");
  look(R"({"schema":-1,"id":"abcdefghijk","reason":"exited"})"
       "\n");
}

}  // namespace
}  // namespace onelane::journal
