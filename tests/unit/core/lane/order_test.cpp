#include <algorithm>

#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

/// Tickets that trace their name when they run, queued one after another behind a holder.
class OrderTest : public LaneTest {
 protected:
  pid_t queue(const std::string& name, int priority = 0) {
    const std::size_t before = count(State::Waiting);
    const pid_t pid = child([=, this] {
      const Table file = table();
      Ticket ticket{file, info(priority)};
      if (wait_for_turn(ticket)) {
        trace(name);
      }
    });
    EXPECT_TRUE(eventually([&] { return count(State::Waiting) == before + 1; }));
    return pid;
  }
  void hold() {
    file_.emplace(directory_, 0600U);
    holder_.emplace(*file_, info());
    ASSERT_EQ(holder_->advance(), Step::Started);
  }
  void let_go(std::size_t expected) {
    holder_.reset();
    EXPECT_TRUE(eventually([&] { return traced().size() == expected; }));
  }
  std::optional<Table> file_;
  std::optional<Ticket> holder_;
};

using Names = std::vector<std::string>;

TEST_F(OrderTest, FirstComeFirstServed) {
  hold();
  Names names;
  for (int i = 0; i < 20; ++i) {
    names.push_back(std::to_string(i));
    queue(names.back());
  }
  let_go(20);
  EXPECT_EQ(traced(), names);
}

TEST_F(OrderTest, KilledMiddleWaitersLeaveTheRestInOrder) {
  hold();
  std::vector<pid_t> pids;
  for (int i = 0; i < 12; ++i) {
    pids.push_back(queue(std::to_string(i)));
  }
  for (const std::size_t victim : {3U, 4U, 8U}) {
    ::kill(pids[victim], SIGKILL);
  }
  let_go(9);
  EXPECT_EQ(traced(), (Names{"0", "1", "2", "5", "6", "7", "9", "10", "11"}));
}

TEST_F(OrderTest, HigherPriorityGoesFirstAndEqualPrioritiesKeepTheirOrder) {
  hold();
  queue("a");
  queue("b", 5);
  queue("c");
  queue("d", 5);
  let_go(4);
  EXPECT_EQ(traced(), (Names{"b", "d", "a", "c"}));
}

TEST_F(OrderTest, ATicketIsOvertakenALimitedNumberOfTimes) {
  std::vector<Entry> entries(2);
  entries[0] = Entry{.state = State::Waiting, .overtaken = kOvertakeCap, .sequence = 1};
  entries[1] = Entry{.state = State::Waiting, .priority = 9, .sequence = 2};
  EXPECT_EQ(waiting_order(entries).front(), 0U);
  entries[0].overtaken = kOvertakeCap - 1;
  EXPECT_EQ(waiting_order(entries).front(), 1U);
}

TEST_F(OrderTest, OvertakingIsCounted) {
  hold();
  queue("low");
  queue("high", 1);
  const auto low = [&] {
    const auto entries = file_->entries(file_->header().high);
    const auto it = std::ranges::find_if(
        entries, [](const Entry& e) { return e.priority == 0 && e.state == State::Waiting; });
    return it == entries.end() ? -1 : static_cast<int>(it->overtaken);
  };
  EXPECT_EQ(low(), 0);
  holder_->close_record({});
  EXPECT_EQ(low(), 1);
  let_go(2);
}

/// Random deaths: whichever processes are killed, the survivors run alone and in order.
TEST_F(OrderTest, RunsNeitherOverlapNorReorderInAStormOfKills) {
  const std::string witness = directory_ + "/witness";
  std::vector<pid_t> pids;
  unsigned seed = 7;
  for (int i = 0; i < 120; ++i) {
    pids.push_back(child([=, this] {
      const Table file = table();
      Ticket ticket{file, info()};
      if (wait_for_turn(ticket)) {
        const int fd = ::open(witness.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        // A killed holder leaves the witness file; only a living holder is an overlap.
        if (fd < 0) {
          trace("seen");
        }
        trace("run " + std::to_string(ticket.sequence()));
        ::unlink(witness.c_str());
        ::close(fd);
      }
    }));
    if (i % 3 == 2) {
      ::kill(pids[static_cast<std::size_t>(::rand_r(&seed)) % pids.size()], SIGKILL);
    }
  }
  for (const pid_t pid : pids) {
    ::waitpid(pid, nullptr, 0);
  }
  children_.clear();
  std::uint64_t last = 0;
  for (const std::string& line : traced()) {
    if (line.starts_with("run ")) {
      const std::uint64_t sequence = std::stoull(line.substr(4));
      EXPECT_GT(sequence, last) << "out of order";
      last = sequence;
    }
  }
  EXPECT_GT(last, 0U);
  const Table file = table();
  Ticket after{file, info()};
  EXPECT_TRUE(wait_for_turn(after));
}

}  // namespace
}  // namespace onelane::lane
