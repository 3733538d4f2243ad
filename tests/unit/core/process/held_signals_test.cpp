#include "core/process/held_signals.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace onelane::process {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

bool none(int /*signal*/) {
  return false;
}

std::uint64_t bit(int signal) {
  return std::uint64_t{1} << static_cast<unsigned>(signal - 1);
}

TEST(HeldSignalsTest, SignalsThatNoHelperGetsAreDueInOrderAfterSixtyMilliseconds) {
  HeldSignals held;
  held.hold(SIGTERM, milliseconds{100});
  held.hold(SIGUSR1, milliseconds{110});
  held.hold(SIGTERM, milliseconds{110});
  EXPECT_FALSE(held.drop_seen(none));
  EXPECT_THAT(held.take_due(milliseconds{159}), IsEmpty());
  EXPECT_THAT(held.take_due(milliseconds{160}), ElementsAre(SIGTERM));
  EXPECT_THAT(held.take_due(milliseconds{500}), ElementsAre(SIGUSR1, SIGTERM));
  EXPECT_THAT(held.take_due(milliseconds{1'000}), IsEmpty());
}

TEST(HeldSignalsTest, TheEchoOfAPassedOnSignalIsAwaitedForASecond) {
  for (const bool at_once : {true, false}) {
    for (const bool comes : {true, false}) {
      HeldSignals held;
      if (at_once) {
        held.expect_echo(SIGTERM, milliseconds{60});
      } else {
        held.hold(SIGTERM, milliseconds{0});
        EXPECT_THAT(held.take_due(milliseconds{60}), ElementsAre(SIGTERM));
      }
      EXPECT_EQ(held.until_look(milliseconds{61}, milliseconds{700}), milliseconds{50});
      EXPECT_EQ(held.drop_seen([&](int signal) { return comes && signal == SIGTERM; }), comes);
      EXPECT_THAT(held.take_due(milliseconds{1'059}), IsEmpty());
      EXPECT_EQ(held.is_empty(), comes);
      EXPECT_THAT(held.take_due(milliseconds{1'060}), IsEmpty());
      EXPECT_TRUE(held.is_empty());
    }
  }
}

TEST(HeldSignalsTest, SignalsThatTheCanaryHasAreDroppedAndOthersStay) {
  HeldSignals held;
  held.hold(SIGTERM, milliseconds{0});
  held.hold(SIGINT, milliseconds{0});
  held.hold(SIGTERM, milliseconds{5});
  EXPECT_TRUE(held.drop_seen([](int signal) { return signal == SIGTERM; }));
  EXPECT_THAT(held.take_due(milliseconds{100}), ElementsAre(SIGINT));
}

TEST(HeldSignalsTest, AWitnessProvesOnlySignalsItHasNotHadBefore) {
  HeldSignals held;
  held.hold(SIGTERM, milliseconds{0}, bit(SIGTERM));
  held.hold(SIGINT, milliseconds{0}, bit(SIGTERM));
  EXPECT_FALSE(held.drop_seen(none, bit(SIGTERM) | bit(SIGINT)));
  EXPECT_THAT(held.take_due(milliseconds{100}), ElementsAre(SIGTERM));
}

TEST(HeldSignalsTest, AWitnessThatHasForgottenProvesAgain) {
  HeldSignals held;
  held.hold(SIGTERM, milliseconds{0}, bit(SIGTERM));
  EXPECT_FALSE(held.drop_seen(none, bit(SIGTERM)));
  EXPECT_FALSE(held.drop_seen(none, 0));
  EXPECT_FALSE(held.drop_seen(none, bit(SIGTERM)));
  EXPECT_THAT(held.take_due(milliseconds{100}), IsEmpty());
  EXPECT_FALSE(held.is_empty());
  EXPECT_TRUE(held.drop_seen([](int signal) { return signal == SIGTERM; }));
  EXPECT_TRUE(held.is_empty());
}

TEST(HeldSignalsTest, StopsAndContinuesDiscardEachOther) {
  for (const int stop : {SIGTSTP, SIGTTIN, SIGTTOU}) {
    HeldSignals held;
    held.hold(stop, milliseconds{0});
    held.hold(SIGTERM, milliseconds{0});
    held.outdate(SIGCONT);
    held.hold(SIGCONT, milliseconds{0});
    EXPECT_THAT(held.take_due(milliseconds{100}), ElementsAre(SIGTERM, SIGCONT));
    held.hold(SIGCONT, milliseconds{200});
    held.outdate(stop);
    EXPECT_THAT(held.take_due(milliseconds{500}), IsEmpty());
  }
}

TEST(HeldSignalsTest, LooksAreFrequentAndNeverLate) {
  HeldSignals held;
  EXPECT_EQ(held.until_look(milliseconds{0}, milliseconds{700}), milliseconds{700});
  held.hold(SIGTERM, milliseconds{0});
  EXPECT_EQ(held.until_look(milliseconds{1}, milliseconds{700}), milliseconds{5});
  EXPECT_EQ(held.until_look(milliseconds{1}, milliseconds{2}), milliseconds{2});
  EXPECT_EQ(held.until_look(milliseconds{58}, milliseconds{700}), milliseconds{2});
  EXPECT_EQ(held.until_look(milliseconds{80}, milliseconds{700}), milliseconds{0});
}

/// Starts a process that is no longer below us: its parent has ended.
pid_t start_elsewhere(const char* path, const char* name) {
  int told[2];
  EXPECT_EQ(::pipe2(told, O_CLOEXEC), 0);
  const pid_t between = ::fork();
  if (between == 0) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::execl(path, name, "20", "sleep", "20", nullptr);
      ::_exit(127);
    }
    (void)!::write(told[1], &pid, sizeof pid);
    ::_exit(0);
  }
  pid_t pid = -1;
  EXPECT_EQ(::read(told[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ::waitpid(between, nullptr, 0);
  ::close(told[0]);
  ::close(told[1]);
  return pid;
}

TEST(HeldSignalsTest, OnlyTheKernelTheRunAnEndedParentAndTimeoutKnowNoTree) {
  const pid_t parent = ::getppid();
  Signals::Arrived arrived;
  arrived.signal = SIGTERM;
  for (const pid_t sender : {0, ::getpid(), parent}) {
    arrived.sender = sender;
    EXPECT_FALSE(knows_no_tree(arrived, parent)) << sender;
  }
  const pid_t gone = ::fork();
  if (gone == 0) {
    ::_exit(0);
  }
  ::waitpid(gone, nullptr, 0);
  arrived.sender = gone;
  EXPECT_FALSE(knows_no_tree(arrived, parent)) << "a kill(1) started by a killer";
  EXPECT_TRUE(knows_no_tree(arrived, gone)) << "it was our parent";
  arrived.sender = ::fork();
  if (arrived.sender == 0) {
    ::pause();
  }
  EXPECT_TRUE(knows_no_tree(arrived, parent)) << "it is below us";
  ::kill(arrived.sender, SIGKILL);
  ::waitpid(arrived.sender, nullptr, 0);
  arrived.sender = start_elsewhere("/usr/bin/timeout", "timeout");
  bool known = false;
  for (int i = 0; i < 2'000 && !known; ++i) {
    ::usleep(1'000);
    known = knows_no_tree(arrived, parent);
  }
  EXPECT_TRUE(known);
  ::kill(arrived.sender, SIGTERM);
  arrived.sender = 0;
  arrived.from_kernel = true;
  EXPECT_TRUE(knows_no_tree(arrived, parent));
}

}  // namespace
}  // namespace onelane::process
