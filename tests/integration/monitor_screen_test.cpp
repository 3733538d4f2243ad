#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <sstream>

#include "core/sys/process.hpp"
#include "tests/integration/lane_scene.hpp"
#include "tests/support/tmux.hpp"

namespace onelane::test {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Extent {
  int columns;
  int rows;
};

/// The monitor in a real terminal, while a run holds the lane.
class MonitorScreenTest : public testing::TestWithParam<Extent> {
 protected:
  void start(int columns = 80, int rows = 24) {
    holder_.emplace(sandbox_);
    tmux_.emplace(sandbox_, columns, rows);
    begin();
  }
  void begin(const std::string& options = {}) {
    tmux_->type("PS1=; clear; '" + onelane_of(sandbox_) + "' monitor --interval 0.2" + options +
                "; echo over-$?; PS1='READY '\n");
    ASSERT_TRUE(tmux_->shows("? help") || tmux_->shows("filter")) << tmux_->screen();
  }
  /// The monitor's process.
  [[nodiscard]] pid_t monitor() const {
    for (const pid_t pid : sandbox_.leftovers()) {
      const auto words = sys::arguments(pid);
      if (words.size() > 1 && words[1] == "monitor") {
        return pid;
      }
    }
    return -1;
  }
  void expect_sane() {
    EXPECT_TRUE(tmux_->is_at_prompt()) << tmux_->screen();
    EXPECT_FALSE(tmux_->is_on_second_screen());
    EXPECT_THAT(tmux_->modes(), HasSubstr(" icanon"));
    EXPECT_THAT(tmux_->modes(), HasSubstr(" echo "));
  }
  void finish() {
    if (holder_) {
      EXPECT_TRUE(holder_->release().exited_with(0));
    }
    tmux_.reset();
    EXPECT_THAT(sandbox_.wait_until_empty(kDeadline), testing::IsEmpty());
  }

  Sandbox sandbox_{Mode::Shim};
  std::optional<Holder> holder_;
  std::optional<Tmux> tmux_;
};

TEST_P(MonitorScreenTest, FitsAndQuitsAsItCame) {
  start(GetParam().columns, GetParam().rows);
  EXPECT_TRUE(tmux_->shows("run     pytest trace")) << tmux_->screen();
  EXPECT_TRUE(tmux_->shows("COMMAND")) << tmux_->screen();
  EXPECT_TRUE(tmux_->is_on_second_screen());
  tmux_->type("q");
  EXPECT_TRUE(tmux_->shows("over-0")) << tmux_->screen();
  expect_sane();
  finish();
}

INSTANTIATE_TEST_SUITE_P(Sizes, MonitorScreenTest,
                         testing::Values(Extent{80, 24}, Extent{200, 60}, Extent{40, 10}),
                         [](const auto& size) { return std::to_string(size.param.columns); });

TEST_F(MonitorScreenTest, FollowsTheQueueAndCancelsWhoIsSelected) {
  start();
  Running waiter = sandbox_.start({"make", "trace", "second"});
  ASSERT_TRUE(tmux_->shows("1 waiting")) << tmux_->screen();
  tmux_->type("c");
  EXPECT_TRUE(tmux_->shows("select a ticket")) << tmux_->screen();
  tmux_->press("Down");
  tmux_->type("c");
  ASSERT_TRUE(tmux_->shows("[y/n]")) << tmux_->screen();
  tmux_->type("y");
  EXPECT_TRUE(waiter.wait().exited_with(75));
  EXPECT_TRUE(tmux_->loses("1 waiting")) << tmux_->screen();
  tmux_->type("q");
  finish();
}

TEST_F(MonitorScreenTest, CancelsOneThatIsStopped) {
  start();
  Running waiter = sandbox_.start({"make", "trace", "second"});
  ASSERT_TRUE(tmux_->shows("1 waiting")) << tmux_->screen();
  waiter.signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return status_of(sandbox_)["queue"][0]["stopped"] == true; }));
  tmux_->press("Down");
  tmux_->type("c");
  ASSERT_TRUE(tmux_->shows("[y/n]")) << tmux_->screen();
  tmux_->type("y");
  EXPECT_TRUE(waiter.wait().exited_with(75));
  tmux_->type("q");
  finish();
}

TEST_F(MonitorScreenTest, BumpsOverTheHighestPriority) {
  start();
  std::vector<Running> waiters;
  std::vector<std::string> ids;
  for (std::size_t count = 1; count <= 2; ++count) {
    waiters.push_back(sandbox_.start({"make", "trace", "waiter"}));
    ASSERT_TRUE(comes_to_queue(sandbox_, count));
    ids.push_back(status_of(sandbox_)["queue"][count - 1]["id"]);
    const Ended bumped =
        sandbox_.run({onelane_of(sandbox_), "bump", ids.back(), "--priority", "100"});
    EXPECT_TRUE(bumped.exited_with(0)) << bumped.err;
  }
  ASSERT_TRUE(tmux_->shows("2 waiting")) << tmux_->screen();
  tmux_->press("Down");
  tmux_->press("Down");
  tmux_->type("b");
  EXPECT_TRUE(tmux_->shows(ids[1] + " goes before")) << tmux_->screen();
  EXPECT_EQ(status_of(sandbox_)["queue"][0]["id"], ids[1]);
  tmux_->type("q");
  EXPECT_TRUE(holder_->release().exited_with(0));
  holder_.reset();
  for (Running& waiter : waiters) {
    EXPECT_TRUE(waiter.wait().exited_with(0));
  }
  finish();
}

TEST_F(MonitorScreenTest, EndsTheRunAfterAYesAlone) {
  sandbox_.set_environment("ONELANE_KILL_TIMEOUT", "1");
  start();
  const pid_t run = holder_->pid();
  tmux_->type("kn");
  EXPECT_TRUE(tmux_->shows("nothing done")) << tmux_->screen();
  EXPECT_TRUE(is_alive(run));
  tmux_->type("ky");
  EXPECT_TRUE(tmux_->shows("run     none")) << tmux_->screen();
  EXPECT_FALSE(holder_->release().exited_with(0));
  holder_.reset();
  tmux_->type("q");
  expect_sane();
  finish();
}

TEST_F(MonitorScreenTest, HoldsTheLaneAndReleasesIt) {
  start();
  tmux_->type("hy");
  EXPECT_TRUE(tmux_->shows("ON HOLD")) << tmux_->screen();
  EXPECT_EQ(status_of(sandbox_)["on_hold"], true);
  tmux_->type("hy");
  EXPECT_TRUE(tmux_->loses("ON HOLD")) << tmux_->screen();
  tmux_->type("q");
  finish();
}

TEST_F(MonitorScreenTest, HelpFilterAndSortAreKeys) {
  start();
  tmux_->type("?");
  EXPECT_TRUE(tmux_->shows("press any key to go back")) << tmux_->screen();
  tmux_->type("x/nosuch\n");
  EXPECT_TRUE(tmux_->shows("[nosuch]")) << tmux_->screen();
  EXPECT_TRUE(tmux_->loses("COMMAND")) << tmux_->screen();
  tmux_->press("Escape");
  EXPECT_TRUE(tmux_->shows("COMMAND")) << tmux_->screen();
  tmux_->type("s");
  EXPECT_TRUE(tmux_->shows("by memory")) << tmux_->screen();
  tmux_->type("q");
  finish();
}

TEST_F(MonitorScreenTest, KeysWithoutAMeaningEndNothing) {
  start();
  // One by one: an unknown key in the same read as a known one would not count.
  for (int i = 0; i < 40; ++i) {
    tmux_->press("F5");
  }
  tmux_->type("s");
  EXPECT_TRUE(tmux_->shows("by memory")) << tmux_->screen();
  tmux_->type("q");
  EXPECT_TRUE(tmux_->shows("over-0")) << tmux_->screen();
  expect_sane();
  finish();
}

TEST_F(MonitorScreenTest, ResizesWhileItDraws) {
  start();
  for (int round = 0; round < 15; ++round) {
    tmux_->resize(30 + 12 * round, 5 + 4 * round);
    tmux_->resize(20 + round, 4);
  }
  tmux_->resize(100, 30);
  const auto fills = [&] {
    const std::string text = tmux_->screen();
    std::istringstream lines{text};
    std::string first;
    std::getline(lines, first);
    // The clock stands at the right edge, the keys in the last line.
    return first.starts_with(" onelane") && first.size() >= 97 &&
           text.find("? help", text.rfind('\n', text.size() - 2)) != std::string::npos;
  };
  EXPECT_TRUE(eventually(fills)) << tmux_->screen();
  tmux_->type("q");
  expect_sane();
  finish();
}

TEST_F(MonitorScreenTest, SuspendsAndComesBack) {
  start();
  tmux_->press("C-z");
  ASSERT_TRUE(tmux_->shows("Stopped")) << tmux_->screen();
  expect_sane();
  tmux_->type("clear; fg\n");
  ASSERT_TRUE(tmux_->shows("? help")) << tmux_->screen();
  EXPECT_TRUE(tmux_->is_on_second_screen());
  tmux_->type("q");
  EXPECT_TRUE(eventually([&] { return monitor() < 0; }));
  expect_sane();
  finish();
}

TEST_F(MonitorScreenTest, EverySignalThatCanBeCaughtGivesTheTerminalBack) {
  start();
  for (const int signal : {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGSEGV, SIGABRT}) {
    const pid_t pid = monitor();
    ASSERT_GT(pid, 0) << tmux_->screen();
    ::kill(pid, signal);
    EXPECT_TRUE(tmux_->shows(signal == SIGINT ? "over-0" : "over-" + std::to_string(128 + signal)))
        << signal << tmux_->screen();
    expect_sane();
    tmux_->type("clear\n");
    begin();
  }
  tmux_->type("q");
  finish();
}

TEST_F(MonitorScreenTest, AfterAKillSttySaneBringsTheTerminalBack) {
  start();
  ::kill(monitor(), SIGKILL);
  EXPECT_TRUE(tmux_->shows("over-137")) << tmux_->screen();
  tmux_->type("stty sane; tput rmcup\n");
  EXPECT_TRUE(eventually([&] { return !tmux_->is_on_second_screen(); }));
  expect_sane();
  finish();
}

TEST_F(MonitorScreenTest, AHostileCommandChangesNothingOfTheTerminal) {
  start();
  Running waiter = sandbox_.start({"make", "trace",
                                   "\033]0;owned\a\033[2J\033[31m\xff\xc2\x9b"
                                   "2J<b>\u6f22\u5b57\u202e"});
  ASSERT_TRUE(tmux_->shows("1 waiting")) << tmux_->screen();
  EXPECT_THAT(tmux_->screen(), HasSubstr("make trace ?]0;owned?"));
  EXPECT_THAT(tmux_->screen(), HasSubstr(" onelane"));
  tmux_->type("q");
  expect_sane();
  waiter.signal(SIGINT);
  (void)waiter.wait();
  finish();
}

TEST_F(MonitorScreenTest, ATerminalWithoutAFullScreenGetsASnapshot) {
  holder_.emplace(sandbox_);
  tmux_.emplace(sandbox_, 80, 24);
  for (const char* name : {"dumb", "no-such-terminal"}) {
    tmux_->type("clear; TERM=" + std::string{name} + " '" + onelane_of(sandbox_) +
                "' monitor; echo over-$?\n");
    EXPECT_TRUE(tmux_->shows("onelane: monitor: TERM=" + std::string{name})) << tmux_->screen();
    EXPECT_TRUE(tmux_->shows("over-0")) << tmux_->screen();
    EXPECT_THAT(tmux_->screen(), HasSubstr("run     pytest trace"));
  }
  for (const char* name : {"screen", "tmux", "linux", "xterm"}) {
    tmux_->type("clear; export TERM=" + std::string{name} + "\n");
    begin();
    EXPECT_TRUE(tmux_->is_on_second_screen() || std::string{name} == "linux");
    tmux_->type("q");
    EXPECT_TRUE(tmux_->shows("over-0")) << name << tmux_->screen();
  }
  finish();
}

}  // namespace
}  // namespace onelane::test
