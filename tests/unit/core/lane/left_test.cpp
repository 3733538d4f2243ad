#include "core/lane/left.hpp"

#include "core/lane/admin.hpp"
#include "tests/unit/core/lane/left_fixture.hpp"

namespace onelane::lane {
namespace {

using namespace std::chrono_literals;

TEST_F(LeftTest, AKilledCallThatIsRepeatedGetsItsPlaceBack) {
  hold();
  const pid_t first = queue("first", asking(kWanted));
  queue("second", asking(8));
  kill_waiter(first);
  queue("other", asking(9));
  queue("again", asking(kWanted));
  let_go({"again", "second", "other"});
}

TEST_F(LeftTest, AnotherUserOrAnotherKeyGetsNothing) {
  hold();
  kill_waiter(queue("first", asking(kWanted)));
  queue("other", asking(8));
  ASSERT_EQ(places().size(), 1U);
  Left left = file_.left()[0];
  left.uid = ::getuid() + 1;
  file_.write(0, left);
  queue("again", asking(kWanted));
  let_go({"other", "again"});
}

TEST_F(LeftTest, APlaceIsTakenOnce) {
  hold();
  const pid_t first = queue("first", asking(kWanted));
  queue("second", asking(8));
  kill_waiter(first);
  queue("again", asking(kWanted));
  queue("and again", asking(kWanted));
  EXPECT_TRUE(places().empty());
  let_go({"again", "second", "and again"});
}

TEST_F(LeftTest, OfTwoEqualPlacesTheOlderIsTakenFirst) {
  hold();
  const pid_t first = queue("first", asking(kWanted));
  queue("between", asking(8));
  const pid_t second = queue("second", asking(kWanted));
  queue("behind", asking(9));
  kill_waiter(second);
  kill_waiter(first);
  queue("a", asking(kWanted));
  queue("b", asking(kWanted));
  let_go({"a", "between", "b", "behind"});
}

TEST_F(LeftTest, ACallKilledAgainKeepsThePlaceAgain) {
  hold();
  pid_t first = queue("first", asking(kWanted));
  queue("second", asking(8));
  for (int i = 0; i < 5; ++i) {
    kill_waiter(first);
    first = queue("again", asking(kWanted));
  }
  let_go({"again", "second"});
}

TEST_F(LeftTest, LeavingForGoodKeepsNoPlaceAndBeingToldToEndDoes) {
  hold();
  const Table other = table();
  const auto leave = [&](Leaving how) {
    Ticket ticket{other, asking(kWanted)};
    ASSERT_EQ(ticket.advance(), Step::Waiting);
    ticket.leave(how);
  };
  leave(Leaving::ForGood);
  EXPECT_TRUE(places().empty());
  leave(Leaving::MayRejoin);
  ASSERT_EQ(places().size(), 1U);
  ASSERT_TRUE(places()[0].still);
  EXPECT_GT(*places()[0].still, 0s);
  EXPECT_LE(*places()[0].still, 60s);
}

TEST_F(LeftTest, WithoutKeyOrTimeOrAfterCancellingNothingIsKept) {
  hold();
  kill_waiter(queue("a", asking(0)));
  kill_waiter(queue("b", asking(kWanted, 0s)));
  const pid_t cancelled = queue("c", asking(kWanted));
  ::kill(cancelled, SIGSTOP);
  for (const Entry& entry : file_.entries()) {
    if (entry.pid == cancelled) {
      ASSERT_TRUE(cancel(file_, view(entry.run_id)));
    }
  }
  kill_waiter(cancelled);
  queue("d", asking(8));
  EXPECT_TRUE(places().empty());
  EXPECT_EQ(file_.header().left, 0U);
}

TEST_F(LeftTest, TheTimeCountsFromTheDiscoveryOfTheDeath) {
  hold();
  kill_waiter(queue("first", asking(kWanted)));
  ASSERT_EQ(places().size(), 1U);
  EXPECT_FALSE(places()[0].still);
  EXPECT_STREQ(places()[0].left.command.data(), "make test");
  queue("other", asking(8));
  ASSERT_TRUE(discovers());
  EXPECT_STREQ(places()[0].left.command.data(), "make test");
}

TEST_F(LeftTest, ACallKilledOnceItsTurnHadComeKeepsThePlaceAndBlocksNoOther) {
  hold();
  Header header = file_.header();
  header.held = 1;  // so that the granted ticket does not start
  file_.write(header);
  const pid_t first = queue("first", asking(kWanted));
  queue("second", asking(8));
  holder_.reset();
  ASSERT_TRUE(eventually([&] { return count(State::Granted) == 1; }));
  kill_waiter(first);
  ASSERT_TRUE(eventually([&] { return count(State::Waiting) == 0; }));  // second has the grant
  queue("third", asking(9));
  queue("again", asking(kWanted));
  EXPECT_TRUE(places().empty());
  ASSERT_TRUE(set_held(file_, false));
  EXPECT_TRUE(eventually([&] { return traced().size() == 3; }));
  EXPECT_EQ(traced(), (Names{"second", "again", "third"}));
}

TEST_F(LeftTest, AHigherPriorityAndCountsOfOvertakingAreKept) {
  hold();
  const pid_t first = queue("first", asking(kWanted));
  for (const Entry& entry : file_.entries()) {
    if (entry.pid == first) {
      ASSERT_TRUE(set_priority(file_, view(entry.run_id), 5));
    }
  }
  kill_waiter(first);
  queue("other", asking(8));
  ASSERT_TRUE(discovers());
  EXPECT_EQ(places()[0].left.priority, 5);
  Left left = file_.left()[0];
  left.overtaken = 3;
  file_.write(0, left);
  const Table other = table();
  Ticket again{other, asking(kWanted)};
  ASSERT_EQ(again.advance(), Step::Waiting);
  EXPECT_TRUE(again.has_rejoined());
  const auto entries = file_.entries();
  EXPECT_EQ(entries[again.slot()].priority, 5);
  EXPECT_EQ(entries[again.slot()].overtaken, 3U);
}

TEST_F(LeftTest, ExpiredForeignBootAndDamagedPlacesAreForgotten) {
  hold();
  const std::chrono::nanoseconds now = sys::boot_time();
  write_place(0, 100, now);
  write_place(1, 101, now + 1h, 12345);
  write_place(2, 102, now + 1h);
  const char noise = 'x';
  ASSERT_EQ(::pwrite(file_.fd(), &noise, 1, kLeftAt + 2 * off_t{sizeof(Left)} + 200), 1);
  EXPECT_TRUE(places().empty());
  queue("again", asking(kWanted));
  EXPECT_EQ(file_.header().left, 0U);
  EXPECT_EQ(file_.header().next_sequence, 104U);
}

TEST_F(LeftTest, ANumberInUseOrNeverGivenIsNotAPlace) {
  hold();
  write_place(0, holder_->sequence(), sys::boot_time() + 1h);
  write_place(1, 500, sys::boot_time() + 1h);
  Header header = file_.header();
  header.next_sequence = 400;  // as after the header was lost
  file_.write(header);
  const Table other = table();
  Ticket again{other, asking(kWanted)};
  ASSERT_EQ(again.advance(), Step::Waiting);
  EXPECT_FALSE(again.has_rejoined());
  EXPECT_EQ(again.sequence(), 400U);
}

TEST_F(LeftTest, WhenTooManyThePlacesThatExpireFirstAreDropped) {
  hold();
  const std::chrono::nanoseconds until = sys::boot_time() + 1h;
  for (std::size_t i = 0; i < kLeftSlots; ++i) {
    write_place(i, 1000 + i, until + std::chrono::seconds{i});
  }
  const Table other = table();
  for (std::uint32_t key = 1; key <= 2; ++key) {
    Ticket ticket{other, asking(key + kWanted, 2h)};
    ASSERT_EQ(ticket.advance(), Step::Waiting);
    ticket.leave(Leaving::MayRejoin);
  }
  const auto kept = places();
  ASSERT_EQ(kept.size(), kLeftSlots);
  const auto has = [&](std::uint64_t sequence) {
    return std::ranges::any_of(kept,
                               [&](const LeftPlace& p) { return p.left.sequence == sequence; });
  };
  EXPECT_FALSE(has(1000));
  EXPECT_FALSE(has(1001));
  EXPECT_TRUE(has(1002));
  EXPECT_TRUE(has(1032));  // the two new ones
  EXPECT_TRUE(has(1033));
}

// After a crash between taking the place and blanking it, the number is recorded twice.
TEST_F(LeftTest, APlaceRecordedTwiceIsTakenOnce) {
  hold();
  const pid_t first = queue("first", asking(kWanted));
  std::uint64_t number = 0;
  for (const Entry& entry : file_.entries()) {
    number = entry.pid == first ? entry.sequence : number;
  }
  write_place(0, number, sys::boot_time() + 1h);
  EXPECT_TRUE(places().empty());  // its owner lives
  kill_waiter(first);
  queue("other", asking(8));
  EXPECT_TRUE(discovers());
  queue("again", asking(kWanted));
  queue("and again", asking(kWanted));
  let_go({"again", "other", "and again"});
}

TEST_F(LeftTest, ThePlaceOutlivesTheDeathOfAllOthers) {
  const pid_t first = child([this] {
    const Table file = table();
    Ticket ticket{file, info()};
    if (wait_for_turn(ticket)) {
      trace("held");
      ::pause();
    }
  });
  ASSERT_TRUE(eventually([this] { return traced().size() == 1; }));
  kill_waiter(queue("waiting", asking(kWanted)));
  kill_waiter(first);
  const Table other = table();
  const Table again = table();
  Ticket newcomer{other, asking(8)};
  EXPECT_EQ(newcomer.advance(), Step::Started);
  Ticket ticket{again, asking(kWanted)};
  EXPECT_EQ(ticket.advance(), Step::Waiting);
  EXPECT_TRUE(ticket.has_rejoined());
}

TEST_F(LeftTest, PlacesWhoseSlotIsReusedAtOnceAreRememberedToo) {
  const Table small = table(3);
  hold();
  const auto enter = [&](const Table& view, std::uint32_t key) {
    auto ticket = std::make_unique<Ticket>(view, asking(key));
    EXPECT_EQ(ticket->advance(), Step::Waiting);
    return ticket;
  };
  kill_waiter(queue("first", asking(kWanted)));
  kill_waiter(queue("second", asking(8)));
  const Table a = table(3);
  const Table b = table(3);
  const auto third = enter(a, 9);
  const auto again = enter(b, kWanted);
  EXPECT_TRUE(again->has_rejoined());
  EXPECT_FALSE(third->has_rejoined());
  EXPECT_LT(again->sequence(), third->sequence());
  ASSERT_EQ(places().size(), 1U);
  EXPECT_EQ(places()[0].left.key, 8U);
}

}  // namespace
}  // namespace onelane::lane
