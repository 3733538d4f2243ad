#include "core/journal/skim.hpp"

#include <gmock/gmock.h>

#include <random>

#include "core/sys/text.hpp"
#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

/// Whether both read the same from `line`, or both refuse it.
testing::AssertionResult agree_on(Skimmer& skimmer, const std::string& line) {
  const Skim* const skim = skimmer.read(line);
  const auto record = parse(line);
  if ((skim != nullptr) != record.has_value()) {
    return testing::AssertionFailure()
           << (skim != nullptr ? "only skim takes " : "only parse takes ") << line;
  }
  if (skim == nullptr) {
    return testing::AssertionSuccess();
  }
  const bool same =
      skim->id == record->id && skim->lane == record->lane && skim->tool == record->tool &&
      skim->branch == record->branch && skim->cls == record->cls && skim->user == record->user &&
      skim->agent == record->agent && skim->queued_wall_ms == record->queued_wall_ms &&
      skim->waited_ms == record->waited_ms && skim->started_wall_ms == record->started_wall_ms &&
      skim->ended_wall_ms == record->ended_wall_ms && skim->duration_ms == record->duration_ms &&
      skim->released_ms == record->released_ms && skim->code == record->code &&
      skim->signal == record->signal && skim->reason == record->reason &&
      skim->peak_tree_kb == record->peak_tree_kb &&
      skim->peak_process_kb == record->peak_process_kb &&
      skim->peak_processes == record->peak_processes && skim->cpu_ms == record->cpu_ms;
  return same ? testing::AssertionSuccess() : testing::AssertionFailure() << "differ on " << line;
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> kPieces{"make",
                                                " ",
                                                "\"",
                                                "\\",
                                                "\n",
                                                "\t",
                                                "\x01",
                                                "\x7f",
                                                "\u009b",
                                                "\u00e9",
                                                "\u202e",
                                                "\U0001f600",
                                                "\xff",
                                                "\xc3",
                                                "\xed\xa0\x80",
                                                "{\"schema\":1",
                                                "}",
                                                "]",
                                                std::string(1, '\0')};
  std::string text;
  for (auto n = random() % 6; n > 0; --n) {
    text += kPieces[random() % kPieces.size()];
  }
  return text;
}

std::int64_t random_number(std::mt19937& random) {
  switch (random() % 6) {
    case 0:
      return 0;
    case 1:
      return std::numeric_limits<std::int64_t>::max();
    case 2:
      return std::numeric_limits<std::int64_t>::min();
    case 3:
      return -static_cast<std::int64_t>(random());
    default:
      return static_cast<std::int64_t>(random());
  }
}

Record random_record(std::mt19937& random) {
  Record record = random() % 2 == 0 ? full_record() : small_record("abcdefghijk");
  for (std::string* text : {&record.project, &record.lane, &record.tool, &record.branch,
                            &record.cls, &record.user, &record.agent, &record.label}) {
    *text = random_text(random);
  }
  record.argv.clear();
  for (auto n = random() % 5; n > 0; --n) {
    record.argv.push_back(random_text(random));
  }
  for (std::int64_t* number : {&record.queued_wall_ms, &record.waited_ms, &record.started_wall_ms,
                               &record.ended_wall_ms, &record.duration_ms, &record.signal}) {
    *number = random_number(random);
  }
  if (random() % 2 == 0) {
    record.code = random_number(random);
  }
  record.reason = static_cast<Reason>(random() % 12);
  record.peak_tree_kb = static_cast<std::uint64_t>(random_number(random));
  record.cpu_ms = static_cast<std::uint64_t>(random_number(random));
  if (random() % 2 == 0) {
    record.card =
        random() % 2 == 0 ? random_text(random) : R"({"a":["\\\"}",{"b":null}],"c":-1.5e3})";
  }
  return record;
}

TEST(SkimTest, AgreesWithParseOnWhateverIsWritten) {
  std::mt19937 random{4};
  Skimmer skimmer;
  for (int i = 0; i < 1000; ++i) {
    const std::string line = to_line(random_record(random));
    ASSERT_NE(skimmer.read(line), nullptr) << line;
    ASSERT_TRUE(agree_on(skimmer, line));
  }
}

TEST(SkimTest, AgreesWithParseOnSpoiledLines) {
  std::mt19937 random{5};
  Skimmer skimmer;
  int refused = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string line = to_line(random_record(random));
    const std::size_t at = random() % line.size();
    switch (random() % 4) {
      case 0:
        line.resize(at);
        break;
      case 1:
        line[at] = static_cast<char>(random());
        break;
      case 2:
        line.erase(at, 1 + random() % 9);
        break;
      default:
        line.insert(at, 1, "\"\\{}[],:0-.eu \x01\xc3"[random() % 17]);
    }
    ASSERT_TRUE(agree_on(skimmer, line));
    refused += skimmer.read(line) == nullptr ? 1 : 0;
  }
  EXPECT_GT(refused, 100);
  EXPECT_LT(refused, 1000);
}

TEST(SkimTest, AgreesWithParseOnHandMadeLines) {
  const std::string start = R"({"schema":1,"id":"abcdefghijk")";
  Skimmer skimmer;
  for (const std::string& line : std::vector<std::string>{
           "",
           "{",
           "{}",
           "[]",
           "null",
           "{\"schema\":1}",
           R"({"schema":0,"id":"a"})",
           R"({"schema":1,"id":""})",
           R"({"schema":1,"id":"a"})",
           R"({"schema":1,"id":"abcdefghij1"})",
           R"({"schema":1,"id":"\u001b[2Jabcdefg"})",
           start + ",\"joined\":\"\\u001b[2J\"}",
           start + ",\"joined\":\"abcdefghijk\"}",
           R"({"schema":99999999999,"id":"a"})",
           start + "}",
           start + "} ",
           start + "}x",
           start + ",}",
           start + ",\"tool\":\"a\",\"tool\":\"b\"}",
           start + ",\"tool\":\"a\",\"tool\":3}",
           start + ",\"code\":1.5}",
           start + ",\"code\":01}",
           start + ",\"code\":-0}",
           start + ",\"code\":-9223372036854775808}",
           start + ",\"cpu_ms\":-1}",
           start + ",\"cpu_ms\":18446744073709551615}",
           start + ",\"cpu_ms\":18446744073709551616}",
           start + ",\"cpu_ms\":1e999}",
           start + ",\"argv\":[]}",
           start + ",\"argv\":[\"a\",3,\"b\"]}",
           start + ",\"argv\":\"a\"}",
           start + ",\"reason\":\"tired\"}",
           start + ",\"reason\":3}",
           start + ",\"new\":{\"a\":[]}}",
           start + ",\"new\":[1,\"a\",null]}",
           start + ",\"new\":nul}",
           start + ",\"a\tb\":1}",
           start + ",\"t\\u006fol\":\"x\"}",
           start + ",\"tool\":\"\\ud83d\\ude00\"}",
           start + ",\"tool\":\"\\udc00\"}",
           start + ",\"tool\":\"\\u0000\"}",
           start + ",\"tool\":\"\\u00G0\"}",
           start + ",\"tool\":\"\\/\\b\\f\\r\"}",
           start + ",\"card\":" + std::string(31, '[') + std::string(31, ']') + "}",
           start + ",\"card\":" + std::string(32, '[') + std::string(32, ']') + "}",
           start + ",\"card\":{\"a\":}}",
           start + ",\"card\":{\"a\":1]}",
           start + ",\"tool\":\"" + std::string(kLongestLine, 'x') + "\"}"}) {
    EXPECT_TRUE(agree_on(skimmer, line));
  }
}

TEST(SkimTest, ABatchIsNoRun) {
  Skimmer skimmer;
  Record record = full_record();
  EXPECT_FALSE(skimmer.read(to_line(record))->is_batch());
  record.cls = "batch";
  const std::string line = to_line(record);
  EXPECT_TRUE(skimmer.read(line)->is_batch());
  EXPECT_TRUE(skimmer.read(" " + line)->is_batch());  // as `parse` reads it
}

TEST(SkimTest, WhatTookAResultDidNotRun) {
  Skimmer skimmer;
  Record record = full_record();
  EXPECT_FALSE(skimmer.read(to_line(record))->is_run());
  const std::string line = to_line(record);
  EXPECT_EQ(skimmer.read(" " + line)->joined, record.joined);
  record.joined.clear();
  EXPECT_TRUE(skimmer.read(to_line(record))->is_run());
}

TEST(SkimTest, CommandIsPrintableAndNotTooLong) {
  Skimmer skimmer;
  Record record = small_record("abcdefghijk");
  record.argv = {"make", "a\x1b[2Jb", "", "c d"};
  EXPECT_EQ(skimmer.read(to_line(record))->command, "make a?[2Jb  c d");
  record.argv.assign(500, "\u00e9");
  const std::string command{skimmer.read(to_line(record))->command};
  EXPECT_LE(command.size(), kLongestShown + 3);
  EXPECT_THAT(command, testing::EndsWith("\u2026"));
}

}  // namespace
}  // namespace onelane::journal
