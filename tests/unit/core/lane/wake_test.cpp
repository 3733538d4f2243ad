#include <array>
#include <memory>

#include "core/lane/admin.hpp"
#include "core/sys/byte_lock.hpp"
#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

/// Who is woken by what: tickets of this process, each with a description of its own.
class WakeTest : public LaneTest {
 protected:
  struct Call {
    Call(Table file, const TicketInfo& info) : table{std::move(file)}, ticket{table, info} {}
    [[nodiscard]] std::string id() const { return std::string{view(ticket.run_id())}; }
    Table table;
    Ticket ticket;
  };

  /// A call that has just found that it has to wait, or that it has the lane.
  std::unique_ptr<Call> make_call(Step expected, int priority = 0) {
    auto call = std::make_unique<Call>(table(slots_), info(priority));
    EXPECT_EQ(call->ticket.advance(), expected);
    return call;
  }
  std::unique_ptr<Call> sleeper(int priority = 0) {
    auto call = make_call(Step::Waiting, priority);
    (void)call->ticket.wake_fds();
    return call;
  }

  /// True when the call is woken within `limit` milliseconds, or would find out that it was rung.
  static bool wakes(Call& call, int limit) {
    constexpr int kSlice = 10;
    for (int gone = 0; gone < limit; gone += kSlice) {
      const auto fds = call.ticket.wake_fds();
      pollfd polled[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
      if (::poll(polled, 2, kSlice) > 0 || (call.ticket.is_deaf() && call.ticket.has_missed())) {
        return true;
      }
    }
    return false;
  }
  static bool is_woken(Call& call) {
    const bool woken = wakes(call, 10'000);
    call.ticket.drain();
    return woken;
  }
  static bool sleeps(Call& call) { return !wakes(call, 50); }

  std::size_t slots_ = kSlots;
};

TEST_F(WakeTest, AHandOverWakesOnlyTheNextTicket) {
  auto holder = make_call(Step::Started);
  auto first = sleeper();
  auto second = sleeper();
  auto third = sleeper();
  holder.reset();
  EXPECT_TRUE(is_woken(*first));
  EXPECT_EQ(first->ticket.advance(), Step::Started);
  EXPECT_TRUE(sleeps(*second));
  EXPECT_TRUE(sleeps(*third));
  first.reset();
  EXPECT_TRUE(is_woken(*second));
  EXPECT_TRUE(sleeps(*third));
}

TEST_F(WakeTest, ATicketThatLeavesWakesTheOneBehindAlone) {
  auto holder = make_call(Step::Started);
  auto first = sleeper();
  auto second = sleeper();
  auto third = sleeper();
  first.reset();
  EXPECT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Waiting);
  EXPECT_TRUE(sleeps(*second));
  EXPECT_TRUE(sleeps(*third));
  holder.reset();
  EXPECT_TRUE(is_woken(*second));
}

TEST_F(WakeTest, AKilledTicketWakesTheOneBehindWhichClearsItAway) {
  auto holder = make_call(Step::Started);
  const pid_t victim = child([this] {
    auto call = sleeper();
    ::pause();
  });
  ASSERT_TRUE(eventually([this] { return count(State::Waiting) == 1; }));
  auto second = sleeper();
  ::kill(victim, SIGKILL);
  EXPECT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Waiting);
  EXPECT_EQ(count(State::Waiting), 1U);
  EXPECT_TRUE(sleeps(*second));
}

TEST_F(WakeTest, AParkedTicketWakesTheOneBehindWithoutABell) {
  auto holder = make_call(Step::Started);
  auto first = sleeper();
  auto second = sleeper();
  EXPECT_TRUE(first->ticket.park());
  const auto fds = second->ticket.wake_fds();
  pollfd byte{fds[0], POLLIN, 0};
  EXPECT_EQ(::poll(&byte, 1, 10'000), 1);
  second->ticket.drain();
  EXPECT_EQ(second->ticket.advance(), Step::Waiting);
  EXPECT_TRUE(sleeps(*second));
  EXPECT_TRUE(first->ticket.unpark());
  EXPECT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Waiting);
  holder.reset();
  EXPECT_TRUE(sleeps(*second));
  EXPECT_EQ(first->ticket.advance(), Step::Started);
}

TEST_F(WakeTest, ATicketThatWasParkedBetweenALookAndASleepKeepsNoneAsleep) {
  ASSERT_TRUE(set_held(table(), true, ""));
  auto first = make_call(Step::Held);
  auto second = make_call(Step::Waiting);  // has looked, and does not sleep yet
  EXPECT_TRUE(first->ticket.park());
  EXPECT_TRUE(first->ticket.unpark());
  EXPECT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Held);
}

TEST_F(WakeTest, ATicketThatMovesForwardIsWoken) {
  auto holder = make_call(Step::Started);
  auto first = sleeper();
  auto second = sleeper();
  auto third = sleeper();
  ASSERT_TRUE(bump(table(), third->id()));
  ASSERT_TRUE(is_woken(*third));
  EXPECT_EQ(third->ticket.advance(), Step::Waiting);
  holder.reset();
  EXPECT_TRUE(is_woken(*third));
  EXPECT_EQ(third->ticket.advance(), Step::Started);
}

TEST_F(WakeTest, ATicketWhosePredecessorMovesBackIsWoken) {
  auto holder = make_call(Step::Started);
  auto first = sleeper();
  auto second = sleeper();
  ASSERT_TRUE(set_priority(table(), first->id(), -5));
  ASSERT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Waiting);
  holder.reset();
  EXPECT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Started);
}

TEST_F(WakeTest, ATicketOvertakenOftenEnoughIsWokenForItsNewPlace) {
  auto running = make_call(Step::Started);
  auto low = make_call(Step::Waiting, -1);
  std::vector<std::unique_ptr<Call>> high;
  for (int i = 0; i <= kOvertakeCap; ++i) {
    high.push_back(sleeper());
  }
  ASSERT_EQ(low->ticket.advance(), Step::Waiting);
  for (int i = 0; i < kOvertakeCap; ++i) {
    running.reset();
    ASSERT_EQ(high[static_cast<std::size_t>(i)]->ticket.advance(), Step::Started);
    running = std::move(high[static_cast<std::size_t>(i)]);
  }
  ASSERT_TRUE(is_woken(*low));  // by a ring: it slept on the last of the others
  EXPECT_EQ(low->ticket.advance(), Step::Waiting);
  running.reset();
  EXPECT_TRUE(is_woken(*low));
  EXPECT_EQ(low->ticket.advance(), Step::Started);
}

TEST_F(WakeTest, ATicketIsNotKeptAsleepByTheNextOwnerOfItsPredecessorsSlot) {
  slots_ = 4;
  auto holder = make_call(Step::Started);
  auto first = sleeper();
  auto second = make_call(Step::Waiting);  // has looked, and does not sleep yet
  sleeper().reset();                       // takes the last slot, so that the first is next
  second->ticket.drain();
  const std::size_t slot = first->ticket.slot();
  first.reset();
  auto newcomer = sleeper();
  ASSERT_EQ(newcomer->ticket.slot(), slot);
  EXPECT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Waiting);
  EXPECT_TRUE(sleeps(*second));
  holder.reset();
  EXPECT_TRUE(is_woken(*second));
}

TEST_F(WakeTest, BehindATicketWithoutAByteOneSleepsAllTheSame) {
  auto holder = make_call(Step::Started);
  auto first = sleeper();
  auto second = sleeper();
  const std::size_t slot = first->ticket.slot();
  sys::unlock_bytes(first->table.fd(), ticket_byte(slot, first->ticket.sequence()),
                    slot_byte(slot) - 1);
  EXPECT_TRUE(is_woken(*second));
  EXPECT_EQ(second->ticket.advance(), Step::Waiting);
  EXPECT_TRUE(sleeps(*second));
  first.reset();
  EXPECT_TRUE(is_woken(*second));
}

TEST_F(WakeTest, WithManyWaitingALateOneAsksWhetherItWasRung) {
  auto holder = make_call(Step::Started);
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < 40; ++i) {
    calls.push_back(make_call(Step::Waiting));
  }
  Call& last = *calls.back();
  ASSERT_TRUE(last.ticket.is_deaf());
  EXPECT_FALSE(last.ticket.has_missed());
  ASSERT_TRUE(cancel(table(), last.id()));
  EXPECT_TRUE(last.ticket.has_missed());
  EXPECT_EQ(last.ticket.advance(), Step::Cancelled);
}

TEST_F(WakeTest, ARingBetweenTheFirstLookAndTheFirstSleepIsHeard) {
  auto holder = make_call(Step::Started);
  auto first = make_call(Step::Waiting);
  auto second = make_call(Step::Waiting);
  ASSERT_TRUE(cancel(table(), first->id()));
  EXPECT_TRUE(is_woken(*first));
  EXPECT_EQ(first->ticket.advance(), Step::Cancelled);
}

}  // namespace
}  // namespace onelane::lane
