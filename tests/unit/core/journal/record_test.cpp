#include "core/journal/record.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/lane/record.hpp"
#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Record round_trip(const Record& record) {
  const std::string line = to_line(record);
  const auto back = parse(line);
  EXPECT_TRUE(back) << line;
  return back.value_or(Record{});
}

std::string branch_of(const std::string& raw) {
  Record record = small_record("abcdefghijk");
  record.branch = raw;
  return round_trip(record).branch;
}

TEST(RecordTest, EveryFieldReadsBack) {
  EXPECT_EQ(round_trip(full_record()), full_record());
}

TEST(RecordTest, NoFieldOfTheFullRecordHasItsDefault) {
  // Else the test above would not notice a field that is never written.
  const auto json = nlohmann::json::parse(to_line(full_record()));
  EXPECT_EQ(json.size(), 44U);
  EXPECT_EQ(json.at("class"), "lane");
  EXPECT_EQ(json.at("reason"), "tree-memory");
  EXPECT_EQ(json.at("code"), 0);
  EXPECT_EQ(json.at("card").at("limit"), "memory");
}

TEST(RecordTest, DefaultsAreLeftOut) {
  EXPECT_EQ(to_line(small_record("abcdefghijk")),
            "{\"schema\":1,\"id\":\"abcdefghijk\",\"reason\":\"exited\"}\n");
}

TEST(RecordTest, EveryReasonHasAWordOfItsOwn) {
  for (int i = 0; i <= static_cast<int>(Reason::Crashed); ++i) {
    Record record = small_record("abcdefghijk");
    record.reason = static_cast<Reason>(i);
    EXPECT_EQ(round_trip(record).reason, record.reason);
    EXPECT_EQ(reason_of(word_of(record.reason)), record.reason);
  }
  EXPECT_EQ(word_of(Reason::Crashed), "crashed");
  EXPECT_EQ(word_of(static_cast<Reason>(99)), "exited");
  EXPECT_EQ(reason_of("Exited"), std::nullopt);
}

TEST(RecordTest, HostileStringsReadBackAndStayOnOneLine) {
  std::string all;
  for (int c = 1; c < 128; ++c) {
    all.push_back(static_cast<char>(c));
  }
  const std::string hostile =
      all + "\"}\n{\"schema\":1,\"id\":\"x\"}\x1b]0;title\a\u009b2J\u202e\U0001f600";
  Record record = full_record();
  record.argv = {"make", hostile};
  record.cwd = hostile;
  record.kept = {{1, 2, "\x1b[2J\"\\"}};
  EXPECT_EQ(round_trip(record), record);
  const std::string line = to_line(record);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.rfind(R"({"schema":)"), 0U);
  const auto is_control = [](unsigned char byte) { return byte < 0x20 || byte == 0x7f; };
  EXPECT_EQ(std::ranges::count_if(line, is_control), 1) << "the end of the line";
  EXPECT_THAT(line, Not(HasSubstr("\u009b"))) << "eight-bit CSI";
}

TEST(RecordTest, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  EXPECT_EQ(branch_of("a\xff"
                      "b"),
            "a\ufffdb");
  EXPECT_EQ(branch_of("\xc3"), "\ufffd") << "cut short";
  EXPECT_EQ(branch_of("\xc0\xaf"), "\ufffd\ufffd") << "overlong";
  EXPECT_EQ(branch_of("\xed\xa0\x80"), "\ufffd\ufffd\ufffd") << "surrogate";
  EXPECT_EQ(branch_of("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd") << "above U+10FFFF";
  EXPECT_EQ(branch_of("\xef\xbf\xbf\xf4\x8f\xbf\xbf"), "\xef\xbf\xbf\xf4\x8f\xbf\xbf");
  EXPECT_EQ(branch_of(std::string{"a\0b", 3}), (std::string{"a\0b", 3}));
}

TEST(RecordTest, EveryPairOfBytesGivesValidJson) {
  for (int high = 0; high < 256; ++high) {
    std::string pairs;
    for (int low = 0; low < 256; low += 3) {
      pairs.append({static_cast<char>(high), static_cast<char>(low), ' '});
    }
    Record record = small_record("abcdefghijk");
    record.argv = {pairs};
    EXPECT_TRUE(nlohmann::json::accept(to_line(record))) << high;
  }
}

TEST(RecordTest, LongStringsAreCutBetweenCharacters) {
  const std::string back = branch_of(std::string(4095, 'a') + "\u00e9\u00e9");
  EXPECT_EQ(back, std::string(4095, 'a') + "\u2026");
  EXPECT_EQ(branch_of(std::string(4096, 'a')).size(), 4096U);
}

TEST(RecordTest, LongArgumentListsEndInAMarker) {
  Record record = small_record("abcdefghijk");
  record.argv = {"tool", std::string(std::size_t{64} << 10, 'x'), "last"};
  const auto argv = round_trip(record).argv;
  ASSERT_EQ(argv.size(), 3U);
  EXPECT_THAT(argv[1], EndsWith("x\u2026"));
  EXPECT_LT(argv[1].size(), 8200U);
  EXPECT_EQ(argv[2], "\u2026");
  record.argv.assign(100'000, "");
  EXPECT_LT(round_trip(record).argv.size(), 8194U);
}

TEST(RecordTest, TheWorstRecordIsShorterThanTheLongestLine) {
  Record record = full_record();
  const std::string worst(100'000, '\x01');
  for (auto* field : {&record.project, &record.lane, &record.tool, &record.cwd, &record.branch,
                      &record.label, &record.cls, &record.user, &record.tty, &record.agent}) {
    *field = worst;
  }
  record.argv.assign(10, worst);
  record.kept.assign(1000, {1, 2, worst});
  record.survivors = record.kept;
  record.card = worst;
  EXPECT_LT(to_line(record).size(), kLongestLine);
  EXPECT_EQ(round_trip(record).kept.size(), 128U);
}

TEST(RecordTest, ACardStaysOnItsLine) {
  Record record = small_record("abcdefghijk");
  record.card = "{\n\t\"inner\": {\"schema\":7,\"text\":\"{\\\"schema\\\":8}\"}\n}";
  const std::string line = to_line(record);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(line.rfind(R"({"schema":)"), 0U);
  EXPECT_EQ(round_trip(record).card, R"({  "inner": { "schema":7,"text":"{\"schema\":8}"} })");
}

TEST(RecordTest, ACardThatIsNotAnObjectIsKeptAsAString) {
  Record record = small_record("abcdefghijk");
  for (const std::string card :
       {R"({"a":1)", "[1]", "oh no", R"({"a":1}, "empty":true)", "{\"a\":1}\n{}"}) {
    record.card = card;
    EXPECT_EQ(round_trip(record).card, card);
    EXPECT_FALSE(round_trip(record).empty) << "nothing smuggled in";
  }
  record.card = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_EQ(round_trip(record).card, record.card);
  record.card = "{\"a\":" + record.card + "}";
  EXPECT_EQ(round_trip(record).card, record.card) << "too deep for a reader";
}

TEST(RecordTest, IdsMadeByTheLaneAreRunIds) {
  for (int i = 0; i < 1000; ++i) {
    const auto id = lane::new_run_id();
    ASSERT_TRUE(is_run_id(lane::view(id))) << lane::view(id);
  }
  for (const char* id :
       {"", "abc", "abcdefghijkl", "../../../..", "abcdefghij/", "ABCDEFGHIJK", "abcdefghij\n"}) {
    EXPECT_FALSE(is_run_id(id)) << id;
  }
}

TEST(RecordTest, AQueueStartIsNoRun) {
  Record record = small_record("abcdefghijk");
  EXPECT_FALSE(is_queue_start(record));
  EXPECT_TRUE(is_run(record));
  record.cls = "queue-start";
  EXPECT_TRUE(is_queue_start(record));
  EXPECT_FALSE(is_run(record));
}

TEST(RecordTest, WhatTookAResultDidNotRun) {
  Record record = full_record();
  EXPECT_FALSE(is_run(record));
  record.joined.clear();
  EXPECT_TRUE(is_run(record));
}

TEST(RecordTest, TheLaneIsHeldUntilTheEndOrUntilItWasGivenBack) {
  Record record;
  record.duration_ms = 100;
  EXPECT_EQ(held_ms(record), 100);
  record.released_ms = 40;
  EXPECT_EQ(held_ms(record), 40);
  record.released_ms = 140;
  EXPECT_EQ(held_ms(record), 100);
  record.duration_ms = 0;
  EXPECT_EQ(held_ms(record), 140);
}

TEST(RecordTest, CommandIsPrintableAndNotTooLong) {
  Record record = small_record("abcdefghijk");
  record.argv = {"make", "a\x1b[2Jb", "", "c d"};
  EXPECT_EQ(command_text(record), "make a?[2Jb  c d");
  record.argv.assign(500, "\u00e9");
  EXPECT_EQ(command_text(record).size(), 500 * 3 - 1U);
  const std::string command = command_text(record, 256);
  EXPECT_LE(command.size(), 256 + 3U);
  EXPECT_THAT(command, EndsWith("\u2026"));
  EXPECT_THAT(command, Not(EndsWith("\u2026\u2026")));
}

}  // namespace
}  // namespace onelane::journal
