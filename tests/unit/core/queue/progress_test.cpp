#include "core/queue/progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/unit/core/queue/scene.hpp"

namespace onelane::queue {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using Step = Progress::Step;

/// A starter, and others who add.
class ProgressTest : public QueueDirectoryTest {
 protected:
  std::optional<Entry> step(Step wanted) {
    const auto result =
        progress_.step(ended_ ? &*ended_ : nullptr, queue_start_, [&](const Progress::Now& now) {
          now_ = now;
          return wanted;
        });
    ended_.reset();
    return result;
  }
  Entry begin() { return step(Step::Begin).value(); }
  void end(Entry entry, State state = State::Passed) {
    finish(entry, state, state == State::Passed ? 0 : 1, 9);
    entry.run = "abcdefghijk";
    ended_ = entry;
  }
  [[nodiscard]] std::vector<State> states() const {
    std::vector<State> out;
    for (const Entry& entry : Store{directory_}.read().entries) {
      out.push_back(entry.state);
    }
    return out;
  }

  Store others_{directory_};
  Store store_{directory_};
  Progress progress_{store_, [](const Entry& entry) -> std::optional<milliseconds> {
                       return entry.id == 3 ? std::nullopt : std::optional{milliseconds{10}};
                     }};
  std::string queue_start_ = "startstart2";
  Progress::Now now_;
  std::optional<Entry> ended_;
};

TEST_F(ProgressTest, TakesOneAfterTheOtherAndMarksThem) {
  add_to(others_);
  add_to(others_, "B=2");
  const Entry first = begin();
  EXPECT_EQ(first.id, 1U);
  EXPECT_EQ(first.state, State::Running);
  EXPECT_EQ(*first.environment, Environment{"A=1"});
  EXPECT_EQ(states(), (std::vector{State::Running, State::Queued}));
  end(first);
  const Entry second = begin();
  EXPECT_EQ(*second.environment, Environment{"B=2"});
  const Queue queue = others_.read();
  EXPECT_EQ(queue.entries[0].state, State::Passed);
  EXPECT_EQ(queue.entries[0].run, "abcdefghijk");
  EXPECT_EQ(queue.entries[0].environment, nullptr);
  EXPECT_EQ(queue.entries[1].queue_start, "startstart2");
  end(second, State::Failed);
  EXPECT_FALSE(step(Step::End));
  EXPECT_EQ(states(), (std::vector{State::Passed, State::Failed}));
  EXPECT_THAT(text_of(path()), Not(HasSubstr("A=1")));
}

TEST_F(ProgressTest, SeesWhatOthersAddAndChangeMeanwhile) {
  add_to(others_);
  const Entry first = begin();
  add_to(others_);
  add_to(others_);
  end(first);
  EXPECT_EQ(begin().id, 2U);
  EXPECT_EQ(now_.queued, 2U);
  others_.change([](Queue& queue) {
    queue.is_closed = true;
    std::erase_if(queue.entries, [](const Entry& entry) { return entry.id == 3; });
    add(queue);
  });
  add_to(others_, "C=3");
  end(others_.read().entries[1]);
  EXPECT_EQ(begin().id, 4U);
  EXPECT_TRUE(now_.is_closed);
  EXPECT_EQ(begin().id, 5U);
  EXPECT_EQ(now_.queued, 1U);
}

TEST_F(ProgressTest, KnowsHowLongWhatIsQueuedWillTake) {
  for (int i = 0; i < 4; ++i) {
    add_to(others_);
  }
  (void)begin();
  EXPECT_EQ(now_.known, milliseconds{30});
  EXPECT_EQ(now_.unknown, 1U);
  (void)begin();
  (void)begin();
  EXPECT_EQ(now_.known, milliseconds{10});
  (void)begin();
  EXPECT_EQ(now_.known, milliseconds{10});
  EXPECT_EQ(now_.unknown, 0U);
}

TEST_F(ProgressTest, WhileItWaitsItForgetsEnvironmentsAndThenWritesNothing) {
  add_to(others_, "TOKEN=secret");
  end(begin());
  EXPECT_THAT(text_of(path()), HasSubstr("secret"));
  EXPECT_FALSE(step(Step::Wait));
  EXPECT_THAT(text_of(path()), Not(HasSubstr("secret")));
  EXPECT_EQ(states(), std::vector{State::Passed});
  const auto written = std::filesystem::last_write_time(path());
  add_to(others_);
  EXPECT_NE(std::filesystem::last_write_time(path()), written);
  const auto added = std::filesystem::last_write_time(path());
  EXPECT_FALSE(step(Step::Wait));
  EXPECT_EQ(std::filesystem::last_write_time(path()), added);
  EXPECT_EQ(now_.queued, 1U);
}

TEST_F(ProgressTest, AMarkIsOnTheDiskWhenItWasSynced) {
  add_to(others_);
  EXPECT_EQ(progress_.unsynced_since(), std::nullopt);
  end(begin());
  EXPECT_NE(progress_.unsynced_since(), std::nullopt);
  progress_.sync();
  EXPECT_EQ(progress_.unsynced_since(), std::nullopt);
}

TEST_F(ProgressTest, ALongQueueStartDoesNotLetTheFileGrowForEver) {
  constexpr int kEntries = 1'000;
  queue_start_.assign(4'000, 'x');  // long marks
  Queue many = queue_of(std::vector<State>(kEntries, State::Queued));
  store_.change([&](Queue& queue) { queue = many; });
  const auto inode = [&] {
    struct stat info {};
    EXPECT_EQ(::stat(path().c_str(), &info), 0);
    return info.st_ino;
  };
  auto known = inode();
  bool was_replaced = false;
  for (int i = 1; i <= kEntries; ++i) {
    Entry entry = begin();
    ASSERT_EQ(entry.id, static_cast<std::uint64_t>(i));
    end(std::move(entry));
    was_replaced = was_replaced || inode() != known;
    known = inode();
  }
  EXPECT_TRUE(was_replaced);
  EXPECT_FALSE(step(Step::End));
  EXPECT_EQ(count(others_.read(), State::Passed), static_cast<std::size_t>(kEntries));
}

TEST_F(ProgressTest, ATornEndIsCutOffAndTheStartGoesOn) {
  add_to(others_);
  add_to(others_);
  end(begin());
  std::ofstream{path(), std::ios::binary | std::ios::app} << "{\"entry\":{\"id\":3";
  EXPECT_EQ(begin().id, 2U);
  EXPECT_EQ(states(), (std::vector{State::Passed, State::Running}));
}

TEST_F(ProgressTest, DamageIsAnError) {
  add_to(others_);
  put("nonsense\n");
  EXPECT_EQ(error_of([&] { (void)begin(); }), EBADMSG);
}

}  // namespace
}  // namespace onelane::queue
