#include "multicall/monitor/full_screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "multicall/monitor/rows.hpp"
#include "tests/unit/multicall/monitor/scene.hpp"

namespace onelane::multicall::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

class ScreenTest : public testing::TestWithParam<Size> {
 protected:
  void SetUp() override { use_utf8(); }
};

TEST_P(ScreenTest, FillsItsSizeAndNoMore) {
  for (const bool is_busy : {true, false}) {
    const Look look = is_busy ? busy_look(100, 40) : Look{};
    for (const Mode mode : {Mode::Browse, Mode::Help, Mode::Ask, Mode::Filter}) {
      State state;
      state.mode = mode;
      const Screen screen = compose(look, state, GetParam(), true);
      ASSERT_EQ(screen.lines.size(), GetParam().rows);
      for (const Line& line : screen.lines) {
        EXPECT_LE(columns_of(line.text()), GetParam().columns) << line.text();
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ScreenTest,
                         testing::Values(Size{24, 80}, Size{60, 200}, Size{10, 40}, Size{3, 20},
                                         Size{1, 1}, Size{2, 300}, Size{0, 0}));

TEST_F(ScreenTest, ShowsTheRunTheQueueAndTheTree) {
  const std::string text = text_of(compose(busy_look(), {}, {24, 80}, true));
  EXPECT_THAT(text, HasSubstr("run     make test"));
  EXPECT_THAT(text, HasSubstr("queue  2 waiting"));
  EXPECT_THAT(text, HasSubstr("1. git commit -m 0"));
  EXPECT_THAT(text, HasSubstr("├ node worker 1"));
  EXPECT_THAT(text, HasSubstr("└ node worker 3"));
  EXPECT_THAT(text, HasSubstr("8.0 of 16.0 GB"));
  EXPECT_THAT(text, HasSubstr("recent runs"));
}

TEST_F(ScreenTest, InAsciiEverythingIsAscii) {
  for (const char c : text_of(compose(busy_look(), {}, {24, 80}, false))) {
    EXPECT_GE(c, '\n');
  }
}

TEST_F(ScreenTest, EvenASmallOneShowsBothListsAndTheRun) {
  const std::string text = text_of(compose(busy_look(100, 40), {}, {10, 40}, true));
  EXPECT_THAT(text, HasSubstr("make test"));
  EXPECT_THAT(text, HasSubstr("waiting"));
  EXPECT_THAT(text, HasSubstr("1-"));
}

TEST_F(ScreenTest, TheSelectedRowIsSeenWhereverItIs) {
  const Look look = busy_look(100, 40);
  State state;
  for (const std::string& key : selectable(look, state)) {
    state.choice.selected = key;
    const Screen screen = compose(look, state, {24, 80}, true);
    const auto count = std::ranges::count_if(screen.lines, &Line::is_selected);
    EXPECT_EQ(count, 1) << key;
  }
}

TEST_F(ScreenTest, HostileTextStaysText) {
  Look look = busy_look();
  const std::string hostile = "x\033]0;owned\a\033[31m\xff<b>\u202e" + std::string(65'536, 'y');
  look.project = hostile;
  look.trouble = hostile;
  look.lanes[0].view.holder->command = hostile;
  look.lanes[0].view.holder->terminal = hostile;
  look.lanes[0].view.queue[0].command = hostile;
  look.lanes[0].view.queue[0].agent = hostile;
  look.processes[0].command = hostile;
  look.recent[0].argv = {hostile};
  look.recent[0].user = hostile;
  const std::string text = text_of(compose(look, {}, {24, 80}, true));
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(text, Not(HasSubstr("\a")));
  EXPECT_THAT(text, Not(HasSubstr("\xff")));
  EXPECT_THAT(text, HasSubstr("x?]0;owned?"));
}

TEST_F(ScreenTest, AHeldLaneSaysSo) {
  Look look = busy_look();
  look.lanes[0].view.is_on_hold = true;
  look.lanes[0].view.hold = HoldView{"anna", 0, "", "on hold by anna for 3m"};
  EXPECT_THAT(text_of(compose(look, {}, {24, 80}, true)), HasSubstr("ON HOLD: nothing starts; on"));
}

TEST_F(ScreenTest, SortingKeepsTheTreeAndAFilterItsParents) {
  Look look = busy_look();
  Choice choice;
  choice.sort = Sort::Memory;
  auto branches = branches_of(look.processes, choice, true);
  ASSERT_EQ(branches.size(), 4U);
  EXPECT_EQ(branches[0].process->id.pid, 100);
  EXPECT_EQ(branches[1].process->id.pid, 103);
  choice.as_tree = false;
  EXPECT_EQ(branches_of(look.processes, choice, true)[0].process->id.pid, 103);
  choice.as_tree = true;
  choice.filter = "WORKER 2";
  branches = branches_of(look.processes, choice, true);
  ASSERT_EQ(branches.size(), 2U);
  EXPECT_EQ(branches[1].process->id.pid, 102);
  EXPECT_EQ(branches[1].prefix, "└ ");
}

TEST_F(ScreenTest, AsPlainLinesNothingIsLeftOut) {
  std::string text;
  for (const Line& line : plain_lines(busy_look(100, 40), {120, true})) {
    text += line.text() + "\n";
  }
  EXPECT_THAT(text, HasSubstr("40. git commit -m 39"));
  EXPECT_THAT(text, HasSubstr("node worker 100"));
}

}  // namespace
}  // namespace onelane::multicall::monitor
