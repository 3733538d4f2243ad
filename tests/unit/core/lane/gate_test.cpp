#include "core/lane/gate.hpp"

#include <gmock/gmock.h>

#include "core/lane/admin.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "tests/unit/core/lane/lane_fixture.hpp"

namespace onelane::lane {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class GateTest : public LaneTest {
 protected:
  /// A process that enters the gate and stays inside until it is killed.
  pid_t keeper(bool stops) {
    std::filesystem::remove(directory_ + "/trace");
    const pid_t pid = child([&] {
      const Table file = table();
      const Gate gate{file, Patience::Always};
      trace("inside");
      if (stops) {
        ::raise(SIGSTOP);
      }
      ::pause();
    });
    EXPECT_TRUE(eventually([&] { return !traced().empty(); }));
    if (stops) {
      EXPECT_TRUE(eventually([&] {
        const auto stat = sys::read_stat(pid);
        return stat && stat->state == 'T';
      }));
    }
    return pid;
  }
  static void end(pid_t pid) {
    ::kill(pid, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  }
};

TEST_F(GateTest, AFreeGateHasNoHolder) {
  const Table file = table();
  EXPECT_TRUE(Gate::try_enter(file, Patience::Always));
  EXPECT_FALSE(find_gate_holder(file));
}

TEST_F(GateTest, AGateKeptByAProcessIsGivenUpAndTheProcessNamed) {
  const Table file = table();
  for (const bool stops : {false, true}) {
    const pid_t pid = keeper(stops);
    EXPECT_FALSE(Gate::try_enter(file, Patience::Always));
    const auto holder = find_gate_holder(file);
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->pid, pid);
    EXPECT_EQ(holder->is_stopped, stops);
    EXPECT_THAT(words_of(*holder),
                HasSubstr("(pid " + std::to_string(pid) + (stops ? ", stopped)" : ")")));
    end(pid);
    EXPECT_TRUE(Gate::try_enter(file, Patience::Always));
  }
}

// Far more processes than processors, each entering the gate as often as it can.
TEST_F(GateTest, AGateThatIsOnlyBusyIsNeverGivenUp) {
  constexpr int kBusy = 64;
  for (int i = 0; i < kBusy; ++i) {
    child([&] {
      const Table file = table();
      for (;;) {
        const Gate gate{file, Patience::Always};
      }
    });
  }
  const Table file = table();
  const auto until = sys::monotonic_time() + 2s;
  std::size_t entered = 0;
  for (; sys::monotonic_time() < until; ++entered) {
    ASSERT_TRUE(Gate::try_enter(file, Patience::Always));
    ASSERT_FALSE(find_gate_holder(file));
  }
  EXPECT_GT(entered, 0U);
}

TEST_F(GateTest, ATicketSleepsAtItAndGoesOnWhenItIsFree) {
  const Table file = table();
  const pid_t pid = keeper(true);
  Ticket ticket{file, info()};
  ASSERT_EQ(ticket.advance(), Step::GateHeld);
  ASSERT_TRUE(ticket.gate_holder());
  EXPECT_EQ(ticket.gate_holder()->pid, pid);
  const auto fds = ticket.wake_fds();
  const auto before = sys::monotonic_time();
  EXPECT_EQ(ticket.advance(), Step::GateHeld);
  EXPECT_LT(sys::monotonic_time() - before, 100ms) << "it did not look again";
  pollfd polled{fds[0], POLLIN, 0};
  EXPECT_EQ(::poll(&polled, 1, 50), 0);
  end(pid);
  ASSERT_EQ(::poll(&polled, 1, 10'000), 1);
  EXPECT_EQ(ticket.advance(), Step::Started);
  EXPECT_FALSE(ticket.gate_holder());
}

TEST_F(GateTest, AWaitingTicketParksAndComesBackOnceItIsFree) {
  const Table file = table();
  Ticket holder{file, info()};
  ASSERT_EQ(holder.advance(), Step::Started);
  const Table other = table();
  Ticket waiter{other, info()};
  ASSERT_EQ(waiter.advance(), Step::Waiting);
  const pid_t pid = keeper(false);
  EXPECT_FALSE(waiter.park());
  EXPECT_EQ(count(State::Waiting), 1U);
  end(pid);
  EXPECT_TRUE(waiter.park());
  EXPECT_EQ(count(State::Parked), 1U);
  const pid_t again = keeper(false);
  EXPECT_FALSE(waiter.unpark());
  end(again);
  EXPECT_TRUE(waiter.unpark());
  EXPECT_EQ(count(State::Waiting), 1U);
}

TEST_F(GateTest, ALeavingTicketNeedsOnlyItsByte) {
  const Table file = table();
  auto holder = std::make_unique<Ticket>(file, info());
  ASSERT_EQ(holder->advance(), Step::Started);
  const Table other = table();
  Ticket waiter{other, info()};
  ASSERT_EQ(waiter.advance(), Step::Waiting);
  const pid_t pid = keeper(false);
  waiter.leave();
  EXPECT_FALSE(file.is_alive(waiter.slot()));
  end(pid);
  const Table third = table();
  Ticket next{third, info()};
  ASSERT_EQ(next.advance(), Step::Waiting);
  holder.reset();
  EXPECT_TRUE(wait_for_turn(next)) << "a ticket that has left is not in the way";
}

TEST_F(GateTest, AChangeByAUserNamesTheProcess) {
  const Table file = table();
  const pid_t pid = keeper(true);
  try {
    (void)set_held(file, true);
    ADD_FAILURE() << "the lane was put on hold";
  } catch (const sys::SystemError& failure) {
    EXPECT_THAT(failure.what(), HasSubstr("(pid " + std::to_string(pid) + ", stopped)"));
  }
}

}  // namespace
}  // namespace onelane::lane
