#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>

#include "tests/unit/core/journal/scene.hpp"

namespace onelane::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ReadTest : public SceneTest {
 protected:
  static std::string line(std::uint64_t fence) {
    return to_line(small_record("abcdefghijk", fence));
  }
  void expect_fences(const std::vector<std::uint64_t>& oldest_first) const {
    EXPECT_EQ(fences(), oldest_first);
    EXPECT_EQ(fences(Order::NewestFirst),
              (std::vector<std::uint64_t>{oldest_first.rbegin(), oldest_first.rend()}));
  }
};

TEST_F(ReadTest, AMissingJournalIsEmpty) {
  expect_fences({});
  for_each(at("nowhere"), Order::OldestFirst, [](std::string_view) { return true; });
  EXPECT_FALSE(find(at("nowhere"), "abcdefghijk"));
}

TEST_F(ReadTest, AllFilesAreReadInOrderDespiteMissingNumbers) {
  write(at("runs.jsonl.7"), line(1) + line(2));
  write(at("runs.jsonl.2"), line(3));
  write(journal(), line(4) + line(5));
  expect_fences({1, 2, 3, 4, 5});
}

TEST_F(ReadTest, TornAndForeignLinesAreLeftOut) {
  const std::string torn = to_line(full_record()).substr(0, 300);
  write(journal(), "hello\n\n\n" + line(1) + torn + "\n" + line(2) + "{\"a\":1}\n" + line(3));
  expect_fences({1, 2, 3});
}

TEST_F(ReadTest, ARecordAfterATornOneIsFoundWhereverItIsTorn) {
  const std::string whole = to_line(full_record());
  for (std::size_t length = 1; length + 2 < whole.size(); length += 7) {
    std::filesystem::remove(journal());
    write(journal(), line(1) + whole.substr(0, length) + line(2) + whole.substr(0, length));
    expect_fences({1, 2});
  }
}

TEST_F(ReadTest, ALastLineWithoutNewlineIsReadIfComplete) {
  write(journal(), line(1) + line(2).substr(0, line(2).size() - 1));
  expect_fences({1, 2});
  write(journal(), line(3));
  expect_fences({1, 2, 3});
}

TEST_F(ReadTest, LinesAcrossChunksAndEndlessLinesAreHarmless) {
  std::string all;
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 1; i <= 300; ++i) {
    Record record = small_record("abcdefghijk", i);
    record.argv = {std::string(i * 37 % 8000, 'x')};
    all += to_line(record);
    expected.push_back(i);
  }
  write(journal(), all + std::string(3 * kLongestLine, 'x') + "\n" + line(301));
  expected.push_back(301);
  expect_fences(expected);
}

TEST_F(ReadTest, BinaryRubbishIsNotARecord) {
  std::string rubbish;
  for (unsigned i = 0; i < 100'000; ++i) {
    rubbish.push_back(static_cast<char>((i * 2654435761U) >> 24U));
  }
  write(journal(), line(1) + "\n" + rubbish + "\n" + line(2));
  expect_fences({1, 2});
}

TEST_F(ReadTest, TheReaderMayStop) {
  write(journal(), line(1) + line(2) + line(3));
  for (const Order order : {Order::OldestFirst, Order::NewestFirst}) {
    int calls = 0;
    for_each(fd_.get(), order, [&](std::string_view) { return ++calls < 2; });
    EXPECT_EQ(calls, 2);
  }
}

TEST_F(ReadTest, ARotationWhileReadingNeitherHidesNorRepeats) {
  write(at("runs.jsonl.1"), line(1));
  write(journal(), line(2));
  std::vector<std::uint64_t> seen;
  for_each(directory_, Order::OldestFirst, [&](std::string_view text) {
    const auto file = sys::try_open_file(journal().c_str(), O_WRONLY);
    if (file.is_open()) {
      rotate(fd_.get(), file.get(), 1);  // deletes the file that the first call reads
    }
    seen.push_back(parse(text).value_or(Record{}).fence);
    return true;
  });
  EXPECT_THAT(seen, ElementsAre(1, 2));
}

TEST_F(ReadTest, ASymbolicLinkIsNotRead) {
  write(at("elsewhere"), line(1));
  std::filesystem::create_symlink(at("elsewhere"), journal());
  expect_fences({});
}

TEST_F(ReadTest, FindReturnsTheNewestRecordOfARun) {
  Record decoy = small_record("kjihgfedcba", 9);
  decoy.argv = {R"("id":"abcdefghijk")", "abcdefghijk"};
  write(at("runs.jsonl.1"), line(1));
  write(journal(), line(2) + to_line(decoy));
  const auto found = find(directory_, "abcdefghijk");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->fence, 2U);
  EXPECT_EQ(find(directory_, "kjihgfedcba").value_or(Record{}).argv, decoy.argv);
  EXPECT_FALSE(find(directory_, "aaaaaaaaaaa"));
  EXPECT_FALSE(find(directory_, "abcdefghij"));
  EXPECT_FALSE(find(directory_, R"(","fence":)"));
}

TEST_F(ReadTest, FindReadsBehindATornRecordAndAcrossChunks) {
  const std::string filler = to_line(full_record());
  std::string all = line(1) + filler.substr(0, 200) + to_line(small_record("kjihgfedcba", 2));
  while (all.size() < 900'000) {
    all += filler;
  }
  write(journal(), all);
  EXPECT_EQ(find(directory_, "kjihgfedcba").value_or(Record{}).fence, 2U);
}

class SinceTest : public SceneTest {
 protected:
  static constexpr std::int64_t kStart = 1'795'000'000'000;
  static constexpr std::int64_t kHour = 3'600'000;

  /// A run an hour; its fence is its number.
  static Record hourly(std::uint64_t number) {
    Record record = full_record();
    record.fence = number;
    record.queued_wall_ms = kStart + static_cast<std::int64_t>(number) * kHour;
    record.started_wall_ms = record.queued_wall_ms + 5;
    record.ended_wall_ms = record.queued_wall_ms + 60'000;
    record.argv = {"make", std::string(number * 41 % 600, 'x')};
    return record;
  }
  static std::string lines(std::uint64_t from, std::uint64_t to) {
    std::string text;
    for (std::uint64_t number = from; number < to; ++number) {
      text += to_line(hourly(number));
    }
    return text;
  }
  [[nodiscard]] std::vector<std::uint64_t> since(std::int64_t wall_ms, Order order) const {
    std::vector<std::uint64_t> out;
    for_each_since(directory_, wall_ms, order, [&](std::string_view line) {
      out.push_back(parse(line).value_or(Record{}).fence);
      return true;
    });
    if (order == Order::NewestFirst) {
      std::ranges::reverse(out);
    }
    return out;
  }
  /// Every run from `first` on is read, in both orders, and most of the older ones are not.
  void expect_all_from(std::uint64_t first, std::uint64_t end) const {
    for (const Order order : {Order::OldestFirst, Order::NewestFirst}) {
      const auto read = since(kStart + static_cast<std::int64_t>(first) * kHour, order);
      ASSERT_FALSE(read.empty());
      EXPECT_LE(read.front(), first);
      EXPECT_GE(read.front() + 1'000, first) << "read nearly from the beginning";
      EXPECT_EQ(read.back() + 1, end);
      EXPECT_EQ(read.size(), end - read.front()) << "none is left out in between";
    }
  }
};

TEST_F(SinceTest, ReadsEveryRecordFromThenOnAndFewOlderOnes) {
  write(journal(), lines(0, 5'000));
  for (const std::uint64_t first : {1'500U, 3'000U, 4'000U, 4'999U}) {
    expect_all_from(first, 5'000);
  }
  EXPECT_EQ(since(0, Order::OldestFirst).size(), 5'000U);
  EXPECT_EQ(since(1, Order::NewestFirst).size(), 5'000U);
}

TEST_F(SinceTest, FilesThatAreOlderAsAWholeAreNotRead) {
  write(at("runs.jsonl.2"), lines(0, 500));
  write(at("runs.jsonl.1"), lines(500, 1'000));
  write(journal(), lines(1'000, 1'200));
  EXPECT_EQ(since(kStart + 1'100 * kHour, Order::OldestFirst).front(), 1'000U);
  EXPECT_LE(since(kStart + 1'010 * kHour, Order::OldestFirst).front(), 986U)
      << "within a day of the end of the file before";
  EXPECT_EQ(since(kStart, Order::OldestFirst).size(), 1'200U);
}

TEST_F(SinceTest, ARunThatEndedInTimeIsReadHoweverLongAgoItBegan) {
  Record server = hourly(4'990);
  server.fence = 99'999;
  server.queued_wall_ms = server.started_wall_ms = kStart;
  write(journal(), lines(0, 4'990) + to_line(server) + lines(4'990, 5'000));
  EXPECT_THAT(since(kStart + 4'990 * kHour, Order::OldestFirst), testing::Contains(99'999U));
}

TEST_F(SinceTest, AFewRecordsOfAWrongClockHideNoOthers) {
  std::string all = lines(0, 2'500);
  for (std::uint64_t number = 2'500; number < 5'000; ++number) {
    Record record = hourly(number);
    if (number % 50 == 0) {  // a machine that came up in 1970
      record.queued_wall_ms = record.started_wall_ms = record.ended_wall_ms = 1'000;
    }
    all += to_line(record);
  }
  write(journal(), all);
  expect_all_from(3'500, 5'000);
}

TEST_F(SinceTest, ANewFileThatBeginsWithAWrongClockHidesNoOlderOne) {
  Record record = hourly(1'000);
  record.queued_wall_ms = record.started_wall_ms = record.ended_wall_ms = 1'000;
  write(at("runs.jsonl.1"), lines(500, 1'000));
  write(journal(), to_line(record));
  EXPECT_EQ(since(kStart + 990 * kHour, Order::OldestFirst).back(), 999U);
}

TEST_F(SinceTest, WhatIsNoRecordIsPassedOver) {
  write(journal(), lines(0, 2'000) + std::string(700'000, 'x') + "\n" + lines(2'000, 3'000) +
                       std::string(400'000, '\n') + lines(3'000, 3'500));
  const auto read = since(kStart + 3'200 * kHour, Order::OldestFirst);
  EXPECT_LE(read.front(), 3'200U);
  EXPECT_EQ(read.size(), 3'500U - read.front());
}

}  // namespace
}  // namespace onelane::journal
