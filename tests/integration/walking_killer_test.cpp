#include <gtest/gtest.h>
#include <signal.h>

#include "tests/support/sandbox.hpp"
#include "tests/support/tree_walk.hpp"

namespace onelane::test {
namespace {

using std::chrono::milliseconds;

class WalkingKillerTest : public testing::Test {
 protected:
  WalkingKillerTest() { apart_.new_session = true; }

  Sandbox sandbox_{Mode::Shim};
  Gate gate_{sandbox_};
  Start apart_;
};

class WalkTest : public WalkingKillerTest, public testing::WithParamInterface<Walk> {};

TEST_P(WalkTest, TheToolGetsItOnce) {
  Running running = sandbox_.start(
      {"make",       "catch",      "TERM",        "catch",  "INT",   "catch",  "HUP",
       "catch",      "USR1",       "spawn",       "ignore", "TERM",  "ignore", "INT",
       "ignore",     "HUP",        "ignore",      "USR1",   "trace", "worker", "hold-until",
       gate_.path(), "end",        "await-trace", "worker", "sleep", "150",    "trace",
       "ready",      "hold-until", gate_.path(),  "exit",   "7"},
      apart_);
  sandbox_.wait_for("ready");
  int counted = 0;
  for (int round = 0; round < 12; ++round) {
    constexpr std::pair<int, const char*> kSignals[] = {
        {SIGTERM, "sig TERM"}, {SIGINT, "sig INT"}, {SIGHUP, "sig HUP"}, {SIGUSR1, "sig USR1"}};
    const auto& [signal, text] = kSignals[round % 4];
    const std::size_t before = sandbox_.texts(text).size();
    const bool in_time = walk_tree(running.pid(), signal, GetParam());
    ASSERT_TRUE(eventually([&] { return sandbox_.texts(text).size() > before; })) << text;
    const bool twice =
        eventually([&] { return sandbox_.texts(text).size() > before + 1; }, milliseconds{90});
    EXPECT_FALSE(twice && in_time) << text << " came twice in round " << round;
    counted += in_time ? 1 : 0;
  }
  EXPECT_GT(counted, 0) << "the machine is too busy for this test";
  const std::size_t before = sandbox_.texts("sig USR1").size();
  running.signal(SIGUSR1);  // sent to one process: not mistaken for a part of the earlier walks
  EXPECT_TRUE(eventually([&] { return sandbox_.texts("sig USR1").size() > before; }));
  gate_.open();
  EXPECT_TRUE(running.wait().exited_with(7));
}

TEST_F(WalkingKillerTest, OneThatIsTooSlowCostsNoLaterSignal) {
  Running running = sandbox_.start({"make", "catch", "TERM", "sleep", "150", "trace", "ready",
                                    "hold-until", gate_.path(), "exit", "7"},
                                   apart_);
  sandbox_.wait_for("ready");
  (void)walk_tree(running.pid(), SIGTERM, {WalkOrder::Levels, milliseconds{150}});
  const std::size_t before = sandbox_.texts("sig TERM").size();
  EXPECT_GE(before, 1U);
  running.signal(SIGTERM);
  EXPECT_TRUE(eventually([&] { return sandbox_.texts("sig TERM").size() > before; }));
  gate_.open();
  EXPECT_TRUE(running.wait().exited_with(7));
}

TEST_F(WalkingKillerTest, AToolThatEndsMeanwhileIsNotWaitedFor) {
  Running running = sandbox_.start(
      {"make", "sleep", "150", "trace", "ready", "hold-until", gate_.path(), "exit", "7"}, apart_);
  const pid_t tool = sandbox_.wait_for("ready").pid;
  const auto before = std::chrono::steady_clock::now();
  running.signal(SIGUSR1);
  ::kill(tool, SIGKILL);
  EXPECT_TRUE(running.wait().died_of(SIGKILL));
  EXPECT_LT(std::chrono::steady_clock::now() - before, milliseconds{1'000});
}

std::vector<Walk> all_walks() {
  std::vector<Walk> out;
  for (const WalkOrder order : {WalkOrder::Levels, WalkOrder::Preorder, WalkOrder::LastFirst,
                                WalkOrder::Children, WalkOrder::LeafFirst}) {
    for (const int pause : {0, 1, 5, 20, 50}) {
      out.push_back({order, milliseconds{pause}});
    }
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Orders, WalkTest, testing::ValuesIn(all_walks()), [](const auto& each) {
  return std::string{name_of(each.param.order)} + "By" + std::to_string(each.param.pause.count()) +
         "Milliseconds";
});

}  // namespace
}  // namespace onelane::test
