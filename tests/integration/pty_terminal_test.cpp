#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "core/sys/process.hpp"
#include "tests/support/pty.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;

/// What a tool and its terminal do to each other, in every shell, with and without onelane.
class PtyTerminalTest : public testing::TestWithParam<std::tuple<Shell::Kind, Mode>> {
 protected:
  PtyTerminalTest() : sandbox_{std::get<1>(GetParam())} {}

  /// The tool, and what the shell knows of it: the leader of its job.
  [[nodiscard]] static bool is_stopped(pid_t tool) {
    const auto stat = sys::read_stat(tool);
    const auto leader = sys::read_stat(stat ? stat->group : 0);
    return stat && stat->state == 'T' && leader && leader->state == 'T';
  }

  Sandbox sandbox_;
  Gate gate_{sandbox_};
  Shell shell_{std::get<0>(GetParam()), sandbox_.environment(), sandbox_.project()};
};

INSTANTIATE_TEST_SUITE_P(All, PtyTerminalTest,
                         testing::Combine(testing::Values(Shell::Kind::Bash, Shell::Kind::Dash,
                                                          Shell::Kind::Zsh),
                                          testing::Values(Mode::Direct, Mode::Shim)),
                         [](const auto& each) {
                           return std::string{name_of(std::get<0>(each.param))} +
                                  name_of(std::get<1>(each.param));
                         });

TEST_P(PtyTerminalTest, AReaderInTheBackgroundStopsUntilItIsBroughtForward) {
  shell_.command("make trace ready read-tty exit 5 &");
  const pid_t tool = sandbox_.wait_for("ready").pid;
  ASSERT_TRUE(eventually([&] { return is_stopped(tool); }));
  EXPECT_TRUE(shell_.is_in_foreground());
  shell_.type("fg");
  ASSERT_TRUE(eventually([&] { return !is_stopped(tool); }));
  shell_.terminal().send("forward\n");
  shell_.wait_for_prompt();
  EXPECT_EQ(shell_.last_status(), 5);
  EXPECT_EQ(sandbox_.texts("read "), std::vector<std::string>{"read forward"});
}

TEST_P(PtyTerminalTest, AWriterInTheBackgroundStopsWhereTheUserWantsThat) {
  shell_.command("stty tostop");
  shell_.command("make trace ready out written exit 5 &");
  const pid_t tool = sandbox_.wait_for("ready").pid;
  ASSERT_TRUE(eventually([&] { return is_stopped(tool); }));
  shell_.type("fg");
  EXPECT_THAT(shell_.wait_for_prompt(), testing::HasSubstr("written"));
  EXPECT_EQ(shell_.last_status(), 5);
}

TEST_P(PtyTerminalTest, AResizeIsSeenOnce) {
  shell_.type("make catch WINCH sleep 100 trace ready hold-until " + gate_.path() + " exit 5");
  sandbox_.wait_for("ready");
  shell_.terminal().resize(50, 132);
  sandbox_.wait_for("sig WINCH");
  EXPECT_FALSE(
      eventually([&] { return sandbox_.texts("sig WINCH").size() > 1; }, milliseconds{60}));
  gate_.open();
  shell_.wait_for_prompt();
  EXPECT_EQ(shell_.last_status(), 5);
}

TEST_P(PtyTerminalTest, AToolMaySuspendItsOwnGroup) {
  shell_.type("make catch CONT sleep 100 trace ready stop-group TSTP trace resumed hold-until " +
              gate_.path() + " exit 5");
  const pid_t tool = sandbox_.wait_for("ready").pid;
  ASSERT_TRUE(eventually([&] { return is_stopped(tool); }));
  shell_.wait_for_prompt();
  EXPECT_TRUE(shell_.is_in_foreground());
  shell_.type("fg");
  sandbox_.wait_for("resumed");
  EXPECT_FALSE(eventually([&] { return is_stopped(tool); }, milliseconds{60}));
  EXPECT_EQ(sandbox_.texts("sig CONT").size(), 1U);
  gate_.open();
  shell_.wait_for_prompt();
  EXPECT_EQ(shell_.last_status(), 5);
}

TEST_P(PtyTerminalTest, TheModesOfTheTerminalAreLeftAlone) {
  const std::string before = shell_.command("stty -g");
  shell_.command("make out something exit 5");
  EXPECT_EQ(shell_.last_status(), 5);
  EXPECT_EQ(shell_.command("stty -g"), before);
}

}  // namespace
}  // namespace onelane::test
