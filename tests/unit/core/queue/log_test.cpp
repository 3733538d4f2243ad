#include "core/queue/log.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/queue/scene.hpp"

namespace onelane::queue {
namespace {

constexpr std::uint64_t kBoot = 0x1122334455667788;
constexpr std::uint64_t kLaterBoot = 5;

/// A log with two entries in its checkpoint, a third that was added with an environment of its own,
/// and marks: the first has passed, the second runs.
struct Scene {
  std::string text;
  std::vector<std::size_t> ends;  ///< Of its changes.

  Scene() {
    Queue queue = queue_of({State::Queued, State::Queued});
    queue.entries[0].environment = std::make_shared<Environment>(Environment{"A=1"});
    text = checkpoint(queue, "", kBoot);
    ends.push_back(text.size());
    add(to_line(Environment{"B=2"}) + to_line(small_entry(3), 1), true);
    add(to_line(BeginRecord{1, "startstart2", 5}), false);
    add(to_line(EndRecord{1, State::Passed, 0, "abcdefghijk", 6}) +
            to_line(BeginRecord{2, "startstart2", 7}),
        false);
  }

  void add(const std::string& records, bool is_promise) {
    Commit commit;
    commit.is_promise = is_promise;
    commit.at = text.size();
    commit.boot = kBoot;
    text += change_text(records, commit);
    ends.push_back(text.size());
  }
};

/// "1 passed, 2 running, 3 queued".
std::string words_of(Queue& queue) {
  std::string words;
  for (const Entry& entry : queue.entries) {
    words += (words.empty() ? "" : ", ") + std::to_string(entry.id) + " " +
             std::string{word_of(entry.state)};
  }
  return words;
}

constexpr const char* kAfter[] = {"1 queued, 2 queued", "1 queued, 2 queued, 3 queued",
                                  "1 running, 2 queued, 3 queued", "1 passed, 2 running, 3 queued"};

TEST(CommitTest, EveryFieldSurvivesAndEveryWrongByteIsSeen) {
  Commit commit;
  commit.is_promise = true;
  commit.at = 1;
  commit.hash = ~std::uint64_t{0};
  commit.boot = kBoot;
  commit.next_id = 4;
  commit.entries = 5;
  commit.queued = 6;
  commit.is_stopping = true;
  commit.environment_at = 7;
  commit.environment_size = 8;
  commit.environments = 9;
  const std::string line = to_line(commit);
  EXPECT_EQ(line.size(), commit_size());
  const auto read = parse_commit(line);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_line(*read), line);
  EXPECT_TRUE(read->is_promise);
  EXPECT_TRUE(read->is_stopping);
  EXPECT_FALSE(read->is_closed);
  EXPECT_EQ(read->environment_size, 8U);
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string wrong = line;
    wrong[i] = wrong[i] == '1' ? '2' : '1';
    EXPECT_FALSE(parse_commit(wrong)) << i;
    EXPECT_FALSE(parse_commit(std::string_view{line}.substr(0, i))) << i;
  }
}

TEST(LogTest, TheQueueIsWhatItsChangesMake) {
  const Scene scene;
  Log log;
  ASSERT_EQ(log.read(scene.text, kBoot), LogEnd::Whole);
  EXPECT_EQ(words_of(log.queue()), kAfter[3]);
  EXPECT_EQ(log.queue().next_id, 4U);
  const Entry& passed = log.queue().entries[0];
  EXPECT_EQ(passed.environment, nullptr);
  EXPECT_EQ(passed.run, "abcdefghijk");
  EXPECT_EQ(passed.code, 0);
  EXPECT_EQ(log.queue().entries[1].queue_start, "startstart2");
  ASSERT_NE(log.queue().entries[2].environment, nullptr);
  EXPECT_EQ(*log.queue().entries[2].environment, Environment{"B=2"});
}

TEST(LogTest, WhatIsReadInPiecesMakesTheSameQueue) {
  const Scene scene;
  Log log;
  std::size_t from = 0;
  for (std::size_t i = 0; i < scene.ends.size(); ++i) {
    ASSERT_EQ(log.read(scene.text.substr(from, scene.ends[i] - from), kBoot), LogEnd::Whole);
    from = scene.ends[i];
    EXPECT_EQ(words_of(log.queue()), kAfter[i]);
    EXPECT_EQ(log.end(), from);
  }
}

TEST(LogTest, CutAnywhereItKeepsEveryWholeChange) {
  const Scene scene;
  for (std::size_t size = 0; size <= scene.text.size(); ++size) {
    Log log;
    const LogEnd end = log.read(std::string_view{scene.text}.substr(0, size), kBoot);
    std::size_t whole = 0;
    while (whole < scene.ends.size() && scene.ends[whole] <= size) {
      ++whole;
    }
    if (whole == 0) {  // a file begins to exist as a whole: this is not the end of a write
      EXPECT_EQ(end, LogEnd::Damaged) << size;
      continue;
    }
    EXPECT_EQ(words_of(log.queue()), kAfter[whole - 1]) << size;
    EXPECT_EQ(log.end(), scene.ends[whole - 1]) << size;
    EXPECT_EQ(end, size == log.end() ? LogEnd::Whole : LogEnd::Torn) << size;
  }
}

TEST(LogTest, ACheckpointOfWhatWasReadIsReadAlike) {
  const Scene scene;
  Log log;
  ASSERT_EQ(log.read(scene.text, kBoot), LogEnd::Whole);
  const std::string text = checkpoint(log.queue(), "x", kBoot);
  Log again;
  ASSERT_EQ(again.read(text, kBoot), LogEnd::Whole);
  EXPECT_EQ(again.imported(), "x");
  EXPECT_EQ(checkpoint(again.queue(), "x", kBoot), text);
  EXPECT_EQ(again.last().entries, 3U);
  EXPECT_EQ(again.last().queued, 1U);
  EXPECT_EQ(again.last().next_id, 4U);
}

TEST(LogTest, EqualEnvironmentsAreWrittenOnce) {
  Queue queue;
  queue.next_id = 4;
  queue.entries = {full_entry(1), full_entry(2), full_entry(3)};
  queue.entries[2].environment = std::make_shared<Environment>(Environment{"OTHER=1"});
  const std::string text = checkpoint(queue, "", kBoot);
  std::size_t count = 0;
  for (auto at = text.find("{\"environment\":["); at != std::string::npos;
       at = text.find("{\"environment\":[", at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 2U);
  Log log;
  ASSERT_EQ(log.read(text, kBoot), LogEnd::Whole);
  EXPECT_EQ(log.queue().entries[2].environment->front(), "OTHER=1");
}

/// The outcome with the byte at `at` changed; the queue must be one that a change has made.
LogEnd read_with_wrong_byte(const Scene& scene, std::size_t at, std::uint64_t boot) {
  std::string text = scene.text;
  text[at] = static_cast<char>(text[at] ^ 4);
  Log log;
  const LogEnd end = log.read(text, boot);
  EXPECT_NE(end, LogEnd::Whole) << at;
  return end;
}

TEST(LogTest, AWrongByteBeforeWhatWasPromisedIsDamage) {
  const Scene scene;
  for (std::size_t at = 0; at < scene.ends[0]; ++at) {
    EXPECT_EQ(read_with_wrong_byte(scene, at, kBoot), LogEnd::Damaged) << at;
    EXPECT_EQ(read_with_wrong_byte(scene, at, kLaterBoot), LogEnd::Damaged) << at;
  }
}

TEST(LogTest, RecordsThatTheDiskNeverGotAreNoDamageAfterAnotherBoot) {
  const Scene scene;
  // A commit line is there and its records are not: the pages of a write come in any order.
  const std::size_t mark = scene.ends[1] + 3;
  EXPECT_EQ(read_with_wrong_byte(scene, mark, kLaterBoot), LogEnd::Torn);
  EXPECT_EQ(read_with_wrong_byte(scene, mark, kBoot), LogEnd::Damaged);
  Scene lost;
  lost.text.append(4096, '\0');
  Log log;
  EXPECT_EQ(log.read(lost.text, kLaterBoot), LogEnd::Torn);
  EXPECT_EQ(log.end(), lost.ends.back());
}

TEST(LogTest, RecordsThatCannotFollowAreDamage) {
  for (const std::string& records : {to_line(small_entry(3), std::nullopt),  // there is one
                                     to_line(small_entry(4), 2),             // no such environment
                                     to_line(BeginRecord{7, "", 1}),         // no such entry
                                     to_line(EndRecord{7, State::Passed, 0, "", 1}),  //
                                     to_line(Queue{}, ""),  // only at the beginning
                                     std::string{"{}\n"}, std::string{"\n"}}) {
    Scene scene;
    scene.add(records, true);
    Log log;
    EXPECT_EQ(log.read(scene.text, kBoot), LogEnd::Damaged) << records;
  }
}

TEST(LogTest, WhatIsNoLogIsDamaged) {
  for (const std::string& text : {std::string{}, std::string{"{\"schema\":1,\"entr"},
                                  std::string(1000, '\0'), to_line(Queue{}, "")}) {
    EXPECT_EQ(Log{}.read(text, kBoot), LogEnd::Damaged) << text;
  }
}

}  // namespace
}  // namespace onelane::queue
