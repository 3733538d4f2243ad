#include "core/lane/nesting.hpp"
#include "core/lane/ticket.hpp"
#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

class BesideTest : public LaneTest {
 protected:
  BesideTest() {
    EXPECT_EQ(holder_.advance(), Step::Started);
    EXPECT_EQ(partner_.advance(), Step::Waiting);
  }
  static void finish(Ticket& ticket) {
    ticket.close_record({});
    ticket.release();
  }

  const Table first_ = table();
  const Table second_ = table();
  Ticket holder_{first_, info()};
  Ticket partner_{second_, info()};
};

TEST_F(BesideTest, StartsWhileTheHolderRunsAndTakesTheLaneOver) {
  EXPECT_FALSE(partner_.is_beside());
  ASSERT_TRUE(partner_.start_beside(holder_.run_id()));
  EXPECT_TRUE(partner_.is_beside());
  EXPECT_EQ(partner_.pipeline_of(), holder_.run_id());
  EXPECT_EQ(count(State::Beside), 1U);
  EXPECT_FALSE(partner_.take_over());
  EXPECT_EQ(first_.last_run().run_id, holder_.run_id());
  finish(holder_);
  ASSERT_TRUE(partner_.take_over());
  EXPECT_EQ(count(State::Running), 1U);
  EXPECT_EQ(first_.last_run().run_id, partner_.run_id());
  EXPECT_EQ(first_.last_run().open, 1U);
  const Table third = table();
  EXPECT_TRUE(sys::is_byte_locked(third.fd(), kLaneByte));
  finish(partner_);
  EXPECT_EQ(first_.last_run().open, 0U);
  EXPECT_FALSE(sys::is_byte_locked(third.fd(), kLaneByte));
}

TEST_F(BesideTest, NoOtherCallStartsBetweenTheHolderAndItsPartner) {
  const Table third = table();
  Ticket stranger{third, info(50)};
  ASSERT_EQ(stranger.advance(), Step::Waiting);
  ASSERT_TRUE(partner_.start_beside(holder_.run_id()));
  finish(holder_);
  EXPECT_EQ(stranger.advance(), Step::Waiting);
  ASSERT_TRUE(partner_.take_over());
  EXPECT_EQ(stranger.advance(), Step::Waiting);
  finish(partner_);
  EXPECT_EQ(stranger.advance(), Step::Started);
}

TEST_F(BesideTest, APartnerThatEndsFirstLeavesTheHolderItsLane) {
  ASSERT_TRUE(partner_.start_beside(holder_.run_id()));
  finish(partner_);
  EXPECT_EQ(first_.last_run().run_id, holder_.run_id());
  EXPECT_EQ(first_.last_run().open, 1U);
  const Table third = table();
  Ticket stranger{third, info()};
  EXPECT_EQ(stranger.advance(), Step::Waiting);
  EXPECT_TRUE(sys::is_byte_locked(third.fd(), kLaneByte));
}

TEST_F(BesideTest, PartnersTakeOverInOrderOfArrival) {
  const Table third = table();
  Ticket last{third, info(90)};
  ASSERT_EQ(last.advance(), Step::Waiting);
  ASSERT_TRUE(last.start_beside(holder_.run_id()));
  ASSERT_TRUE(partner_.start_beside(holder_.run_id()));
  finish(holder_);
  EXPECT_FALSE(last.take_over());
  EXPECT_TRUE(partner_.take_over());
  finish(partner_);
  EXPECT_TRUE(last.take_over());
}

TEST_F(BesideTest, StartsOnlyBesideTheCurrentRun) {
  EXPECT_FALSE(partner_.start_beside(new_run_id()));
  EXPECT_FALSE(partner_.start_beside(partner_.run_id()));
  const RunId gone = holder_.run_id();
  finish(holder_);
  EXPECT_FALSE(partner_.start_beside(gone));
  EXPECT_EQ(partner_.advance(), Step::Started);
  EXPECT_FALSE(partner_.start_beside(gone));
}

TEST_F(BesideTest, AParkedOrCancelledTicketDoesNotStart) {
  EXPECT_TRUE(partner_.park());
  EXPECT_FALSE(partner_.start_beside(holder_.run_id()));
  EXPECT_TRUE(partner_.unpark());
  Table writable = table();
  Entry entry = writable.entries()[partner_.slot()];
  entry.state = State::Cancelled;
  writable.write(partner_.slot(), entry);
  EXPECT_FALSE(partner_.start_beside(holder_.run_id()));
  EXPECT_EQ(partner_.advance(), Step::Cancelled);
}

/// A child that runs beside `holder` and is killed.
class KilledPartnerTest : public LaneTest {
 protected:
  RunId start_and_kill_partner(const RunId& holder) {
    int told[2];
    EXPECT_EQ(::pipe(told), 0);
    const pid_t pid = child([&] {
      const Table own = table();
      TicketInfo what = info();
      what.context[0] = 4711;
      Ticket partner{own, what};
      (void)partner.advance();
      (void)partner.start_beside(holder);
      (void)!::write(told[1], partner.run_id().data(), partner.run_id().size());
      for (;;) {
        ::pause();
      }
    });
    RunId id{};
    EXPECT_EQ(::read(told[0], id.data(), id.size()), static_cast<ssize_t>(id.size()));
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    std::erase(children_, pid);
    ::close(told[0]);
    ::close(told[1]);
    return id;
  }
};

TEST_F(KilledPartnerTest, LeavesItsRecordToTheTicketAfterTheHolder) {
  const Table first = table();
  Ticket holder{first, info()};
  ASSERT_EQ(holder.advance(), Step::Started);
  const RunId id = start_and_kill_partner(holder.run_id());
  const Table third = table();
  Ticket next{third, info()};
  ASSERT_EQ(next.advance(), Step::Waiting);
  EXPECT_EQ(count(State::Beside), 1U) << "a newcomer must not take its slot";
  holder.close_record({});
  holder.release();
  ASSERT_EQ(next.advance(), Step::Started);
  ASSERT_TRUE(next.unsettled());
  EXPECT_EQ(next.unsettled()->run_id, id);
  EXPECT_EQ(next.unsettled()->context[0], 4711U);
  EXPECT_EQ(count(State::Beside), 0U);
}

TEST_F(KilledPartnerTest, LeavesItsRecordEvenWhenNoTicketWaits) {
  const Table first = table();
  Ticket holder{first, info()};
  ASSERT_EQ(holder.advance(), Step::Started);
  const RunId id = start_and_kill_partner(holder.run_id());
  holder.close_record({});
  holder.release();
  const Table third = table();
  Ticket next{third, info()};
  ASSERT_EQ(next.advance(), Step::Started);
  ASSERT_TRUE(next.unsettled());
  EXPECT_EQ(next.unsettled()->run_id, id);
}

/// A holder and a run beside it, both killed together with their guardians.
class KilledPipelineTest : public KilledPartnerTest {
 protected:
  void kill_both() {
    int told[2];
    ASSERT_EQ(::pipe(told), 0);
    const pid_t holder = child([&] {
      const Table own = table();
      Ticket ticket{own, info()};
      (void)ticket.advance();
      (void)!::write(told[1], ticket.run_id().data(), ticket.run_id().size());
      for (;;) {
        ::pause();
      }
    });
    ASSERT_EQ(::read(told[0], holder_.data(), holder_.size()),
              static_cast<ssize_t>(holder_.size()));
    partner_ = start_and_kill_partner(holder_);
    ::kill(holder, SIGKILL);
    ::waitpid(holder, nullptr, 0);
    std::erase(children_, holder);
    ::close(told[0]);
    ::close(told[1]);
  }

  RunId holder_{};
  RunId partner_{};
};

TEST_F(KilledPipelineTest, RunsAreClearedAwayOneByOneBeforeTheNextStarts) {
  kill_both();
  const Table third = table();
  Ticket next{third, info()};
  ASSERT_EQ(next.advance(), Step::Started);
  ASSERT_TRUE(next.unsettled());
  EXPECT_EQ(next.unsettled()->run_id, holder_);
  ASSERT_EQ(next.begin(), Begun::NotYet);
  ASSERT_TRUE(next.unsettled());
  EXPECT_EQ(next.unsettled()->run_id, partner_);
  EXPECT_EQ(third.last_run().run_id, partner_) << "if we are killed now, the next ticket finds it";
  ASSERT_EQ(next.begin(), Begun::Yes);
  EXPECT_FALSE(next.unsettled());
  EXPECT_EQ(third.last_run().run_id, next.run_id());
  EXPECT_EQ(count(State::Beside), 0U);
}

TEST_F(KilledPipelineTest, NoneStartsBesideATicketThatClearsAway) {
  kill_both();
  const Table third = table();
  Ticket next{third, info()};
  ASSERT_EQ(next.advance(), Step::Started);
  const Table fourth = table();
  Ticket partner{fourth, info()};
  ASSERT_EQ(partner.advance(), Step::Waiting);
  EXPECT_FALSE(partner.start_beside(next.run_id()));
  ASSERT_EQ(next.begin(), Begun::NotYet);
  EXPECT_FALSE(partner.start_beside(next.run_id()));
  ASSERT_EQ(next.begin(), Begun::Yes);
  EXPECT_TRUE(partner.start_beside(next.run_id()));
}

TEST_F(BesideTest, ACallBelowItIsNested) {
  ASSERT_TRUE(partner_.start_beside(holder_.run_id()));
  finish(holder_);
  const pid_t below = child([&] {
    const Table own = table();
    ::_exit(relation_to_lane(own, "") == Relation::BelowHolder ? 0 : 1);
  });
  int verdict = -1;
  ASSERT_EQ(::waitpid(below, &verdict, 0), below);
  std::erase(children_, below);
  EXPECT_EQ(verdict, 0);
}

}  // namespace
}  // namespace onelane::lane
