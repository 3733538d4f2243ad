#include "core/lane/admin.hpp"

#include <memory>

#include "core/lane/lane_watch.hpp"
#include "core/lane/live.hpp"
#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

/// A holder and waiters in this process, each with a description of its own.
class AdminTest : public LaneTest {
 protected:
  struct Waiter {
    Waiter(const std::string& directory, const TicketInfo& info)
        : file{directory, 0600}, ticket{file, info} {}
    [[nodiscard]] std::string id() const { return std::string{view(ticket.run_id())}; }
    Table file;
    Ticket ticket;
  };

  std::unique_ptr<Waiter> enqueue(int priority = 0) {
    auto waiter = std::make_unique<Waiter>(directory_, info(priority));
    EXPECT_EQ(waiter->ticket.advance(), Step::Waiting);
    return waiter;
  }
  [[nodiscard]] Entry entry_of(const Waiter& waiter) const {
    return table().entries()[waiter.ticket.slot()];
  }
  std::unique_ptr<Waiter> hold() {
    auto holder = std::make_unique<Waiter>(directory_, info());
    EXPECT_EQ(holder->ticket.advance(), Step::Started);
    return holder;
  }
};

TEST_F(AdminTest, ACancelledTicketWhoseOwnerIsStoppedLetsTheNextOneGo) {
  auto holder = hold();
  const pid_t stopped = child([&] {
    const Table other = table();
    Ticket ticket{other, info()};
    (void)wait_for_turn(ticket);
    trace("stopped");
  });
  ASSERT_TRUE(eventually([&] { return count(State::Waiting) == 1; }));
  child([&] {
    const Table other = table();
    Ticket ticket{other, info()};
    if (wait_for_turn(ticket)) {
      trace("next");
    }
  });
  ASSERT_TRUE(eventually([&] { return count(State::Waiting) == 2; }));
  ::kill(stopped, SIGSTOP);
  holder.reset();
  ASSERT_EQ(count(State::Granted), 1U);
  const Table view_only = table();
  const auto entries = view_only.entries();
  const auto granted = current_slot(entries);
  ASSERT_TRUE(granted);
  ASSERT_EQ(entries[*granted].pid, stopped);
  EXPECT_TRUE(cancel(view_only, view(entries[*granted].run_id)));
  EXPECT_TRUE(eventually([&] { return traced() == std::vector<std::string>{"next"}; }));
}

TEST_F(AdminTest, ATicketCancelledWhileClearingAwayDoesNotBegin) {
  const pid_t killed = child([&] {
    const Table other = table();
    Ticket ticket{other, info()};
    (void)wait_for_turn(ticket);
    ::_exit(0);
  });
  int status = 0;
  ::waitpid(killed, &status, 0);
  children_.clear();
  const Table file = table();
  Ticket next{file, info()};
  ASSERT_EQ(next.advance(), Step::Started);
  ASSERT_TRUE(next.unsettled());
  EXPECT_TRUE(cancel(table(), view(next.run_id())));
  EXPECT_EQ(next.begin(), Begun::Cancelled);
  next.leave();
  EXPECT_EQ(file.last_run().open, 1U);  // left for the next ticket to clear away
  const Table third = table();
  Ticket last{third, info()};
  EXPECT_EQ(last.advance(), Step::Started);
}

TEST_F(AdminTest, ABumpOutbidsEveryLivingTicketAndTheSecondChangesNothing) {
  const auto holder = hold();
  const auto high = enqueue(100);
  const auto low = enqueue(-100);
  const auto middle = enqueue();
  EXPECT_TRUE(bump(table(), low->id()));
  EXPECT_EQ(entry_of(*low).priority, 101);
  EXPECT_TRUE(bump(table(), low->id()));
  EXPECT_EQ(entry_of(*low).priority, 101);
  EXPECT_TRUE(bump(table(), high->id()));
  EXPECT_EQ(entry_of(*high).priority, 102);
  EXPECT_FALSE(bump(table(), holder->id()));
  EXPECT_FALSE(bump(table(), "nosuchrunid"));
}

TEST_F(AdminTest, AHoldIsInTheNameOfTheFirstUser) {
  EXPECT_TRUE(set_held(table(), true, "disk swap"));
  EXPECT_FALSE(set_held(table(), true, "something else"));
  const Header header = table().header();
  EXPECT_EQ(header.held_by, ::getuid());
  EXPECT_GT(header.held_since, 0);
  EXPECT_STREQ(header.held_reason.data(), "disk swap");
  Waiter waiter{directory_, info()};
  EXPECT_EQ(waiter.ticket.advance(), Step::Held);
  EXPECT_TRUE(waiter.ticket.place().is_next);
  EXPECT_EQ(waiter.ticket.place().position, 1U);
  EXPECT_TRUE(set_held(table(), false));
  EXPECT_FALSE(set_held(table(), false));
  EXPECT_STREQ(table().header().held_reason.data(), "");
  EXPECT_EQ(waiter.ticket.advance(), Step::Started);
}

TEST_F(AdminTest, ADamagedHeaderHidesNoTicket) {
  const auto holder = hold();
  const auto waiter = enqueue();
  const std::string noise(sizeof(Header) / 2, 'x');
  ASSERT_GT(::pwrite(holder->file.fd(), noise.data(), noise.size(), 0), 0);
  EXPECT_TRUE(find_live(table(), holder->id()));
  EXPECT_TRUE(cancel(table(), waiter->id()));
  EXPECT_EQ(waiter->ticket.advance(), Step::Cancelled);
}

TEST_F(AdminTest, TheOwnersOfASlotAreFoundByTheirLock) {
  const auto holder = hold();
  const auto waiter = enqueue();
  const std::vector<pid_t> self{::getpid()};
  EXPECT_EQ(owners_of(table(), holder->ticket.slot()), self);
  EXPECT_TRUE(owners_of(table(), 5).empty());
}

TEST_F(AdminTest, HoldersAndWaitersKeepTheLaneBusy) {
  auto holder = hold();
  const Table file = table();
  EXPECT_EQ(busy_slots(file), std::vector<std::size_t>{holder->ticket.slot()});
  auto parked = enqueue();
  EXPECT_TRUE(parked->ticket.park());
  EXPECT_EQ(busy_slots(file).size(), 1U);
  EXPECT_TRUE(parked->ticket.unpark());
  EXPECT_EQ(busy_slots(file).size(), 2U);
  const std::uint64_t sequence = holder->ticket.sequence();
  EXPECT_TRUE(is_there(file, 0, sequence));
  holder.reset();
  EXPECT_FALSE(is_there(file, 0, sequence));
  parked.reset();
  EXPECT_TRUE(busy_slots(file).empty());
}

TEST_F(AdminTest, AWatchReportsADeathThatIsNotRecorded) {
  const pid_t holder = child([&] {
    const Table other = table();
    Ticket ticket{other, info()};
    if (wait_for_turn(ticket)) {
      trace("in");
      ::pause();
    }
  });
  ASSERT_TRUE(eventually([&] { return !traced().empty(); }));
  const Table file = table();
  LaneWatch watch{file};
  watch.sleep_on(0);
  watch.drain();
  const auto fds = watch.fds();
  pollfd polled[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
  ASSERT_EQ(::poll(polled, 2, 0), 0);
  ::kill(holder, SIGKILL);
  EXPECT_EQ(::poll(polled, 2, 10'000), 1);
  EXPECT_NE(polled[1].revents & POLLIN, 0);
}

}  // namespace
}  // namespace onelane::lane
