#include "multicall/monitor/keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "multicall/monitor/full_screen.hpp"
#include "tests/unit/multicall/monitor/scene.hpp"

namespace onelane::multicall::monitor {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Kind = Order::Kind;

class KeysTest : public testing::Test {
 protected:
  void SetUp() override { use_utf8(); }
  Order press(Key::Kind kind) { return send({kind}); }
  Order type(std::string_view text) {
    Order last;
    for (const char byte : text) {
      last = send({Key::Kind::Byte, byte});
    }
    return last;
  }
  Order send(const Key& key) { return handle(state_, key, look_, selectable(look_, state_), true); }

  Look look_ = busy_look();
  State state_;
};

TEST_F(KeysTest, EndingARunNeedsAYes) {
  EXPECT_EQ(type("k").kind, Kind::None);
  EXPECT_THAT(state_.question, HasSubstr("end `make test` (holder00000)?"));
  EXPECT_EQ(type("n").kind, Kind::None);
  EXPECT_EQ(state_.mode, Mode::Browse);
  (void)type("k");
  const Order order = type("y");
  EXPECT_EQ(order.kind, Kind::EndRun);
  EXPECT_EQ(order.ticket, "holder00000");
}

TEST_F(KeysTest, AnyOtherKeyIsANo) {
  (void)type("k");
  EXPECT_EQ(press(Key::Kind::Enter).kind, Kind::None);
  EXPECT_EQ(state_.message, "nothing done");
}

TEST_F(KeysTest, AKeyWithoutAMeaningIsAKeyAllTheSame) {
  EXPECT_EQ(press(Key::Kind::Other).kind, Kind::None);
  EXPECT_EQ(state_.mode, Mode::Browse);
  (void)type("?");
  (void)press(Key::Kind::Other);
  EXPECT_EQ(state_.mode, Mode::Browse);
  (void)type("h");
  (void)press(Key::Kind::Other);
  EXPECT_EQ(type("y").kind, Kind::None);
  (void)type("/a");
  (void)press(Key::Kind::Other);
  EXPECT_EQ(state_.choice.filter, "a");
}

TEST_F(KeysTest, CancelAndBumpWantASelectedTicket) {
  EXPECT_EQ(type("c").kind, Kind::None);
  EXPECT_EQ(state_.mode, Mode::Browse);
  EXPECT_THAT(state_.message, HasSubstr("select"));
  (void)press(Key::Kind::Down);
  EXPECT_EQ(state_.choice.selected, "ticket waiter00000");
  EXPECT_EQ(type("b").kind, Kind::Bump);
  (void)press(Key::Kind::Down);
  (void)type("c");
  EXPECT_EQ(type("y").ticket, "waiter00001");
}

TEST_F(KeysTest, HoldAsksAndTurnsIntoRelease) {
  (void)type("h");
  EXPECT_EQ(type("y").kind, Kind::Hold);
  look_.lanes[0].view.is_on_hold = true;
  (void)type("h");
  EXPECT_EQ(type("y").kind, Kind::Release);
}

TEST_F(KeysTest, ASelectedProcessIsNeverATicket) {
  (void)press(Key::Kind::End);
  EXPECT_EQ(state_.choice.selected, "process 103 103");
  EXPECT_EQ(type("c").kind, Kind::None);
  EXPECT_EQ(state_.mode, Mode::Browse);
}

TEST_F(KeysTest, SelectionStaysInsideTheRows) {
  (void)press(Key::Kind::PageDown);
  (void)press(Key::Kind::PageDown);
  EXPECT_EQ(state_.choice.selected, "process 103 103");
  (void)press(Key::Kind::PageUp);
  (void)press(Key::Kind::Up);
  EXPECT_EQ(state_.choice.selected, "ticket waiter00000");
  look_ = Look{};
  (void)press(Key::Kind::Down);
  EXPECT_EQ(type("k").kind, Kind::None);
  EXPECT_EQ(state_.message, "nothing runs here");
}

TEST_F(KeysTest, AFilterIsTyped) {
  (void)type("/q\u00e9");
  EXPECT_EQ(state_.choice.filter, "q\u00e9");
  (void)press(Key::Kind::Backspace);
  EXPECT_EQ(state_.choice.filter, "q");
  (void)press(Key::Kind::Enter);
  EXPECT_EQ(state_.mode, Mode::Browse);
  EXPECT_EQ(type("q").kind, Kind::Quit);
  (void)press(Key::Kind::Escape);
  EXPECT_EQ(state_.choice.filter, "");
}

TEST_F(KeysTest, SortsAndToggles) {
  (void)type("s");
  EXPECT_EQ(state_.choice.sort, Sort::Memory);
  (void)type("sss");
  EXPECT_EQ(state_.choice.sort, Sort::Start);
  (void)type("t");
  EXPECT_FALSE(state_.choice.as_tree);
  (void)type("?");
  EXPECT_EQ(state_.mode, Mode::Help);
  EXPECT_EQ(type("q").kind, Kind::None);
  EXPECT_EQ(state_.mode, Mode::Browse);
}

TEST_F(KeysTest, LookingTakesItsShareOfAProcessorAndNoMore) {
  EXPECT_EQ(pause_after(1ms, 1s), 1s);
  EXPECT_EQ(pause_after(20ms, 1s), 4s);
}

}  // namespace
}  // namespace onelane::multicall::monitor
