#include "core/queue/queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/queue/scene.hpp"

namespace onelane::queue {
namespace {

using testing::ElementsAre;

constexpr State kQ = State::Queued;

TEST(QueueTest, EveryStateHasAWordThatIsReadBack) {
  for (const State state :
       {State::Queued, State::Running, State::Passed, State::Failed, State::Interrupted}) {
    EXPECT_EQ(state_of(word_of(state)), state);
  }
  EXPECT_EQ(state_of("done"), std::nullopt);
}

TEST(QueueTest, TheNextIsTheFirstQueued) {
  Queue queue = queue_of({State::Passed, State::Interrupted, kQ, kQ});
  ASSERT_NE(next_of(queue), nullptr);
  EXPECT_EQ(next_of(queue)->id, 3U);
  Queue over = queue_of({State::Failed});
  EXPECT_EQ(next_of(over), nullptr);
}

TEST(QueueTest, MoveCountsQueuedEntriesAndKeepsTheOthersInOrder) {
  const auto moved = [](std::uint64_t id, std::size_t position) {
    Queue queue = queue_of({State::Passed, State::Running, kQ, kQ, kQ});
    EXPECT_TRUE(move(queue, id, position));
    return ids_of(queue);
  };
  EXPECT_THAT(moved(5, 1), ElementsAre(1, 2, 5, 3, 4));
  EXPECT_THAT(moved(5, 2), ElementsAre(1, 2, 3, 5, 4));
  EXPECT_THAT(moved(3, 1), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(moved(3, 2), ElementsAre(1, 2, 4, 3, 5));
  EXPECT_THAT(moved(3, 3), ElementsAre(1, 2, 4, 5, 3));
  EXPECT_THAT(moved(3, 99), ElementsAre(1, 2, 4, 5, 3));
}

TEST(QueueTest, AnEntryThatIsNotQueuedIsNotMoved) {
  Queue queue = queue_of({State::Running, kQ});
  EXPECT_FALSE(move(queue, 1, 2));
  EXPECT_FALSE(move(queue, 7, 1));
  EXPECT_THAT(ids_of(queue), ElementsAre(1, 2));
}

TEST(QueueTest, ADeadStartersEntryIsInterruptedAndKeepsItsEnvironment) {
  Queue queue = queue_of({State::Passed, State::Running, kQ});
  queue.entries[1].environment = std::make_shared<Environment>(Environment{"A=1"});
  queue.starter = Starter{7, "me", "startstart2", 1};
  queue.is_stopping = true;
  forget_starter(queue, 99);
  EXPECT_FALSE(queue.starter);
  EXPECT_FALSE(queue.is_stopping);
  EXPECT_EQ(queue.entries[0].state, State::Passed);
  EXPECT_EQ(queue.entries[1].state, State::Interrupted);
  EXPECT_EQ(queue.entries[1].ended_wall_ms, 99);
  EXPECT_NE(queue.entries[1].environment, nullptr);
  EXPECT_EQ(queue.entries[2].state, State::Queued);
}

TEST(QueueTest, AnEndedEntryDropsItsEnvironment) {
  Entry entry = full_entry(1);
  finish(entry, State::Passed, 0, 5);
  EXPECT_EQ(entry.environment, nullptr);
  EXPECT_EQ(entry.code, 0);
  EXPECT_EQ(entry.ended_wall_ms, 5);
}

}  // namespace
}  // namespace onelane::queue
