#include "core/lane/ticket.hpp"

#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

TEST_F(LaneTest, AHolderThatBecomesAServiceGivesTheLaneToTheWaiterOnItsByte) {
  const Table file = table();
  Ticket server{file, info()};
  ASSERT_EQ(server.advance(), Step::Started);
  for (const char* name : {"one", "two", "three"}) {
    child([this, name] {
      const Table other = table();
      Ticket next{other, info()};
      if (wait_for_turn(next)) {
        trace(name);
        next.close_record({});
        next.release();
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return count(State::Waiting) == 3; }));
  EXPECT_EQ(server.released_after().count(), 0);
  ASSERT_TRUE(server.become_service());
  EXPECT_TRUE(eventually([&] { return traced().size() == 3; }));
  EXPECT_EQ(count(State::Service), 1U);
  EXPECT_GE(server.released_after().count(), 1);
  const Table third = table();
  EXPECT_TRUE(third.is_alive(server.slot()));
  server.close_record({});
  server.release();
  EXPECT_EQ(count(State::Service), 0U);
}

TEST_F(LaneTest, AServiceThatWasAHolderLeavesTheNextRecordAlone) {
  const Table file = table();
  Ticket server{file, info()};
  ASSERT_EQ(server.advance(), Step::Started);
  ASSERT_TRUE(server.become_service());
  EXPECT_EQ(file.last_run().open, 0U);
  const Table other = table();
  Ticket next{other, info()};
  ASSERT_EQ(next.advance(), Step::Started);
  EXPECT_FALSE(next.unsettled());
  server.close_record({});
  server.release();
  EXPECT_EQ(file.last_run().run_id, next.run_id());
  EXPECT_EQ(file.last_run().open, 1U);
  EXPECT_EQ(count(State::Running), 1U);
  const Table third = table();
  Ticket last{third, info()};
  EXPECT_EQ(last.advance(), Step::Waiting);
}

// Whenever it is killed, the process that shares its description (the guardian) completes the rest.
TEST_F(LaneTest, ASupervisorKilledWhileItGivesTheLaneBackLosesNothing) {
  for (unsigned after = 0; after < 60; ++after) {
    int begin[2];
    ASSERT_EQ(::pipe(begin), 0);
    const pid_t supervisor = child([&] {
      const Table other = table();
      Ticket ticket{other, info()};
      (void)wait_for_turn(ticket);
      int end[2];
      (void)!::pipe(end);
      if (::fork() == 0) {
        char byte = 0;
        ::close(end[1]);
        ::close(begin[1]);
        (void)!::read(end[0], &byte, 1);
        ticket.close_record({});
        ::_exit(0);
      }
      (void)!::write(begin[1], "x", 1);
      for (;;) {
        (void)ticket.become_service();
      }
    });
    char byte = 0;
    ASSERT_EQ(::read(begin[0], &byte, 1), 1);
    ::usleep(after * 10);
    ::kill(supervisor, SIGKILL);
    ::waitpid(supervisor, nullptr, 0);
    std::erase(children_, supervisor);
    ::close(begin[0]);
    ::close(begin[1]);
    const Table file = table();
    Ticket next{file, info()};
    ASSERT_TRUE(wait_for_turn(next));
    EXPECT_FALSE(next.unsettled());
    EXPECT_TRUE(eventually([&] { return count(State::Service) == 0; }));
    EXPECT_EQ(count(State::Running), 1U);
    EXPECT_EQ(file.last_run().run_id, next.run_id());
    next.close_record({});
    next.release();
  }
}

}  // namespace
}  // namespace onelane::lane
