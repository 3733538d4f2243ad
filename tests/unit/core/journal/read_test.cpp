#include <gmock/gmock.h>

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

}  // namespace
}  // namespace onelane::journal
