#include <sys/stat.h>

#include "core/lane/ticket.hpp"

#include "core/sys/byte_lock.hpp"
#include "core/sys/error.hpp"
#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

TEST_F(LaneTest, AFreeLaneStartsAtOnce) {
  const Table file = table();
  Ticket ticket{file, info()};
  EXPECT_EQ(ticket.advance(), Step::Started);
  EXPECT_FALSE(ticket.unsettled());
  EXPECT_EQ(count(State::Running), 1U);
}

TEST_F(LaneTest, TheSecondWaitsUntilTheFirstHasReleased) {
  const Table file = table();
  Ticket first{file, info()};
  ASSERT_EQ(first.advance(), Step::Started);
  child([&] {
    const Table other = table();
    Ticket second{other, info()};
    if (wait_for_turn(second)) {
      trace("second");
    }
  });
  ASSERT_TRUE(eventually([&] { return count(State::Waiting) == 1; }));
  EXPECT_TRUE(traced().empty());
  trace("first ends");
  first.close_record({});
  first.release();
  ASSERT_TRUE(eventually([&] { return traced().size() == 2; }));
  EXPECT_EQ(traced()[1], "second");
}

TEST_F(LaneTest, AKilledHolderFreesTheLaneAndLeavesItsRecordOpen) {
  const pid_t holder = child([&] {
    const Table other = table();
    Ticket ticket{other, info()};
    if (wait_for_turn(ticket)) {
      trace("held");
      ::pause();
    }
  });
  ASSERT_TRUE(eventually([&] { return !traced().empty(); }));
  ::kill(holder, SIGKILL);
  const Table file = table();
  Ticket next{file, info()};
  ASSERT_TRUE(wait_for_turn(next));
  EXPECT_EQ(file.last_run().run_id, next.run_id());
}

TEST_F(LaneTest, TheNextGrantedTicketSeesTheOpenRun) {
  const pid_t holder = child([&] {
    const Table other = table();
    Ticket ticket{other, info()};
    (void)wait_for_turn(ticket);
    ::_exit(0);
  });
  int status = 0;
  ::waitpid(holder, &status, 0);
  children_.clear();
  const Table file = table();
  Ticket next{file, info()};
  ASSERT_EQ(next.advance(), Step::Started);
  ASSERT_TRUE(next.unsettled());
  EXPECT_EQ(next.unsettled()->supervisor_pid, holder);
  EXPECT_EQ(next.begin(), Begun::Yes);
  EXPECT_FALSE(next.unsettled());
  next.close_record({});
  EXPECT_EQ(file.last_run().open, 0U);
}

TEST_F(LaneTest, ASharedDescriptionKeepsTheLaneAfterTheSupervisorDied) {
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t supervisor = child([&] {
    const Table other = table();
    Ticket ticket{other, info()};
    (void)wait_for_turn(ticket);
    if (::fork() == 0) {  // the guardian
      char byte = 0;
      ::close(pipe_fds[1]);
      (void)!::read(pipe_fds[0], &byte, 1);
      ticket.close_record({});
      ::_exit(0);
    }
    trace("held");
    ::pause();
  });
  ASSERT_TRUE(eventually([&] { return !traced().empty(); }));
  ::kill(supervisor, SIGKILL);
  ::waitpid(supervisor, nullptr, 0);
  const Table file = table();
  Ticket next{file, info()};
  EXPECT_EQ(next.advance(), Step::Waiting);
  ::close(pipe_fds[1]);
  EXPECT_TRUE(wait_for_turn(next));
  EXPECT_FALSE(next.unsettled());
  ::close(pipe_fds[0]);
}

TEST_F(LaneTest, AParkedTicketIsPassedOverAndKeepsItsPlace) {
  const Table file = table();
  Ticket holder{file, info()};
  ASSERT_EQ(holder.advance(), Step::Started);
  const Table other = table();
  Ticket parked{other, info()};
  ASSERT_EQ(parked.advance(), Step::Waiting);
  EXPECT_TRUE(parked.park());
  const Table third = table();
  Ticket next{third, info()};
  ASSERT_EQ(next.advance(), Step::Waiting);
  holder.close_record({});
  holder.release();
  ASSERT_EQ(next.advance(), Step::Started);
  EXPECT_TRUE(parked.unpark());
  EXPECT_EQ(parked.advance(), Step::Waiting);
  next.close_record({});
  next.release();
  EXPECT_TRUE(wait_for_turn(parked));
}

TEST_F(LaneTest, AGrantedTicketThatParksLetsTheNextOneGo) {
  const Table file = table();
  auto holder = std::make_unique<Ticket>(file, info());
  ASSERT_EQ(holder->advance(), Step::Started);
  const Table other = table();
  Ticket first{other, info()};
  ASSERT_EQ(first.advance(), Step::Waiting);
  child([&] {
    const Table third = table();
    Ticket second{third, info()};
    if (wait_for_turn(second)) {
      trace("second");
    }
  });
  ASSERT_TRUE(eventually([&] { return count(State::Waiting) == 2; }));
  holder.reset();
  ASSERT_EQ(count(State::Granted), 1U);
  EXPECT_TRUE(first.park());
  EXPECT_TRUE(eventually([&] { return !traced().empty(); }));
}

TEST_F(LaneTest, AReplacedLaneFileIsNoticed) {
  const Table file = table();
  Ticket ticket{file, info()};
  std::filesystem::remove(directory_ + "/lane");
  EXPECT_EQ(ticket.advance(), Step::Gone);
}

TEST_F(LaneTest, ANonFileInTheLanesPlaceIsRefusedAtOnceWithItsPath) {
  const std::string path = directory_ + "/lane";
  const auto refusal = [&]() -> std::string {
    try {
      (void)table();
    } catch (const sys::SystemError& failure) {
      return failure.what();
    }
    return "none";
  };
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(refusal(), "open " + path + ", which is a FIFO: Invalid argument");
  std::filesystem::remove(path);
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  EXPECT_EQ(refusal(), "open " + path + ": Is a directory");
  std::filesystem::remove(path);
  EXPECT_EQ(refusal(), "none");
}

TEST_F(LaneTest, WithAllSlotsTakenANewcomerStillGetsItsTurn) {
  const Table file = table(2);
  Ticket holder{file, info()};
  ASSERT_EQ(holder.advance(), Step::Started);
  const auto newcomer = [&](const char* name) {
    child([this, name] {
      const Table other = table(2);
      Ticket ticket{other, info()};
      if (wait_for_turn(ticket)) {
        trace(name);
      }
    });
  };
  newcomer("a");
  ASSERT_TRUE(eventually([&] { return count(State::Waiting) == 1; }));
  newcomer("b");
  newcomer("c");
  holder.close_record({});
  holder.release();
  EXPECT_TRUE(eventually([&] { return traced().size() == 3; }));
}

TEST_F(LaneTest, ARunOfTheFirstFormatKeepsNoCallWaiting) {
  const Table old = table();
  const std::string noise(sizeof(Header) + sizeof(LastRun) + sizeof(Entry), 'x');
  ASSERT_GT(::pwrite(old.fd(), noise.data(), noise.size(), 0), 0);
  ASSERT_TRUE(sys::try_lock_byte(old.fd(), off_t{1} << 40, sys::LockKind::Write));
  const Table file = table();
  Ticket ticket{file, info()};
  EXPECT_EQ(ticket.advance(), Step::Started);
}

TEST_F(LaneTest, ADamagedEntryIsRewrittenByItsOwner) {
  const Table file = table();
  Ticket holder{file, info()};
  ASSERT_EQ(holder.advance(), Step::Started);
  const Table other = table();
  Ticket waiter{other, info()};
  ASSERT_EQ(waiter.advance(), Step::Waiting);
  const std::string noise(sizeof(Entry), 'x');
  ASSERT_GT(::pwrite(file.fd(), noise.data(), noise.size(),
                     kEntriesAt + static_cast<off_t>(waiter.slot() * sizeof(Entry))),
            0);
  EXPECT_EQ(waiter.advance(), Step::Waiting);
  EXPECT_EQ(count(State::Waiting), 1U);
}

}  // namespace
}  // namespace onelane::lane
