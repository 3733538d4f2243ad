#include "core/guard/guard.hpp"
#include "tests/support/megabyte.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <vector>

namespace onelane::guard {
namespace {

using namespace std::chrono_literals;
using sys::Reason;
using Order = Ruling::Order;

/// A run whose state a test sets moment by moment.
class GuardTest : public ::testing::Test {
 protected:
  GuardTest() {
    limits_[Reason::Memory] = {1000 * kMb, "built-in", ""};
    limits_[Reason::TreeMemory] = {2000 * kMb, "built-in", ""};
    limits_[Reason::Processes] = {100, "built-in", ""};
  }

  /// Judges processes with these `megabytes`, at `at` after the launch.
  Ruling judge(std::chrono::milliseconds at, const std::vector<std::uint64_t>& megabytes) {
    Sample sample;
    sample.at = 100s + at;
    sample.machine = {64'000 * kMb, available_ * kMb, 0};
    sample.activity = activity_;
    pid_t pid = 10;
    for (const std::uint64_t size : megabytes) {
      sample.processes.push_back({{pid++, 1}, 1, size * kMb});
      sample.bytes += size * kMb;
    }
    return guard_.judge(sample, at, [this] { return takes_most_; });
  }

  static bool says_idle(const Ruling& ruling) {
    return std::ranges::any_of(ruling.warnings,
                               [](const Warning& one) { return one.reason == Reason::Idle; });
  }

  Limits limits_;
  Guard guard_{limits_};
  std::uint64_t available_ = 32'000;
  std::uint64_t activity_ = 1;
  bool takes_most_ = true;
};

TEST_F(GuardTest, EarlierAttemptsCountForThePipelineOnly) {
  limits_[Reason::Timeout] = {2'000, "built-in", ""};
  limits_[Reason::PipelineTimeout] = {5'000, "built-in", ""};
  Guard second{limits_, 4s};
  Sample sample;
  sample.machine = {64'000 * kMb, available_ * kMb, 0};
  const auto judge = [&](std::chrono::milliseconds at) {
    return second.judge(sample, at, [] { return false; });
  };
  const Ruling early = judge(900ms);
  EXPECT_EQ(early.order, Order::GoOn);
  EXPECT_LE(early.next, 100ms);
  const Ruling late = judge(1'001ms);
  ASSERT_TRUE(late.breach);
  EXPECT_EQ(late.breach->reason, Reason::PipelineTimeout);
  EXPECT_EQ(late.breach->used, 5'001U);
}

TEST_F(GuardTest, BelowItsLimitsARunGoesOn) {
  const Ruling ruling = judge(50ms, {999, 900});
  EXPECT_EQ(ruling.order, Order::GoOn);
  EXPECT_FALSE(ruling.breach);
}

TEST_F(GuardTest, OneProcessOverItsLimitEndsTheRunAndIsNamed) {
  const Ruling ruling = judge(50ms, {10, 1000, 20});
  EXPECT_EQ(ruling.order, Order::End);
  ASSERT_TRUE(ruling.breach);
  EXPECT_EQ(ruling.breach->reason, Reason::Memory);
  EXPECT_EQ(ruling.breach->used, 1000 * kMb);
  EXPECT_EQ(ruling.breach->process.pid, 11);
}

TEST_F(GuardTest, ProcessesTogetherOverTheirLimitEndTheRun) {
  const Ruling ruling = judge(50ms, {700, 700, 700});
  ASSERT_TRUE(ruling.breach);
  EXPECT_EQ(ruling.breach->reason, Reason::TreeMemory);
}

TEST_F(GuardTest, ProcessesUpToTheLimitAreAllowedAndOneMoreIsNot) {
  EXPECT_EQ(judge(50ms, std::vector<std::uint64_t>(100, 1)).order, Order::GoOn);
  const Ruling ruling = judge(100ms, std::vector<std::uint64_t>(101, 1));
  ASSERT_TRUE(ruling.breach);
  EXPECT_EQ(ruling.breach->reason, Reason::Processes);
}

TEST_F(GuardTest, ARunThatGrowsAfterItWasToldToEndIsKilled) {
  EXPECT_EQ(judge(50ms, {1010}).order, Order::End);
  EXPECT_EQ(judge(70ms, {1012}).order, Order::End) << "growth within a hundredth does not count";
  EXPECT_EQ(judge(90ms, {1030}).order, Order::Kill);
}

TEST_F(GuardTest, ARunThatFreesMemoryKeepsItsGrace) {
  EXPECT_EQ(judge(50ms, {1050}).order, Order::End);
  EXPECT_EQ(judge(70ms, {600}).order, Order::End);
}

TEST_F(GuardTest, TenPercentOverTheLimitEndsTheGrace) {
  EXPECT_EQ(judge(50ms, {1200}).order, Order::End) << "TERM still comes first";
  EXPECT_EQ(judge(70ms, {1200}).order, Order::Kill);
}

TEST_F(GuardTest, ABombThatKeepsForkingIsKilled) {
  EXPECT_EQ(judge(50ms, std::vector<std::uint64_t>(101, 1)).order, Order::End);
  EXPECT_EQ(judge(70ms, std::vector<std::uint64_t>(108, 1)).order, Order::Kill);
}

TEST_F(GuardTest, WithoutLimitsNothingEnds) {
  limits_ = Limits{};
  EXPECT_EQ(judge(10h, std::vector<std::uint64_t>(5000, 5000)).order, Order::GoOn);
}

TEST_F(GuardTest, HalfALimitWarnsOnceUntilUseHasFallen) {
  EXPECT_TRUE(judge(50ms, {499}).warnings.empty());
  const Ruling ruling = judge(100ms, {510});
  ASSERT_EQ(ruling.warnings.size(), 1U);
  EXPECT_EQ(ruling.warnings[0].reason, Reason::Memory);
  EXPECT_EQ(ruling.warnings[0].process.pid, 10);
  EXPECT_NEAR(ruling.warnings[0].per_second, 11.0 * kMb / 0.05, 1.0 * kMb);
  EXPECT_TRUE(judge(150ms, {900}).warnings.empty());
  EXPECT_TRUE(judge(200ms, {450}).warnings.empty()) << "not below 40 % yet";
  EXPECT_TRUE(judge(250ms, {510}).warnings.empty());
  EXPECT_TRUE(judge(300ms, {390}).warnings.empty());
  EXPECT_EQ(judge(350ms, {510}).warnings.size(), 1U);
}

TEST_F(GuardTest, TimeLimitsAreKeptToTheMillisecond) {
  limits_[Reason::Timeout] = {2000, "built-in", ""};
  const Ruling before = judge(1990ms, {1});
  EXPECT_EQ(before.order, Order::GoOn);
  EXPECT_EQ(before.next, 10ms);
  const Ruling after = judge(2000ms, {1});
  ASSERT_TRUE(after.breach);
  EXPECT_EQ(after.breach->reason, Reason::Timeout);
  EXPECT_EQ(judge(2100ms, {500}).order, Order::End) << "time does not escalate the ending";
}

TEST_F(GuardTest, IdleWarnsOnceAndRestartsWithEveryActivity) {
  limits_[Reason::Idle] = {1000, "built-in", "", /*ends=*/false};
  EXPECT_FALSE(says_idle(judge(100ms, {1})));
  EXPECT_FALSE(says_idle(judge(1050ms, {1})));
  EXPECT_TRUE(says_idle(judge(1100ms, {1})));
  EXPECT_FALSE(says_idle(judge(2500ms, {1})));
  ++activity_;
  EXPECT_FALSE(says_idle(judge(2600ms, {1})));
  EXPECT_TRUE(says_idle(judge(3600ms, {1})));
  EXPECT_EQ(judge(3700ms, {1}).order, Order::GoOn) << "it only warns";
}

TEST_F(GuardTest, IdleEndsTheRunWhenConfigured) {
  limits_[Reason::Idle] = {1000, "built-in", "", /*ends=*/true};
  EXPECT_EQ(judge(100ms, {1}).order, Order::GoOn);
  const Ruling ruling = judge(1100ms, {1});
  ASSERT_TRUE(ruling.breach);
  EXPECT_EQ(ruling.breach->reason, Reason::Idle);
}

TEST_F(GuardTest, WhenTheMachineRunsShortOnlyTheLargestRunEnds) {
  limits_[Reason::Reserve] = {1000 * kMb, "built-in", ""};
  limits_[Reason::Memory].value = limits_[Reason::TreeMemory].value = 0;
  available_ = 900;
  takes_most_ = false;
  EXPECT_EQ(judge(50ms, {5000}).order, Order::GoOn);
  EXPECT_EQ(judge(100ms, {5000}).order, Order::GoOn);
  takes_most_ = true;
  const Ruling ruling = judge(150ms, {5000});
  ASSERT_TRUE(ruling.breach);
  EXPECT_EQ(ruling.breach->reason, Reason::Reserve);
}

TEST_F(GuardTest, ARunWhoseEndWouldNotHelpIsNotEndedForTheMachine) {
  limits_[Reason::Reserve] = {1000 * kMb, "built-in", ""};
  available_ = 100;
  for (const auto at : {50ms, 100ms, 150ms, 200ms}) {
    EXPECT_EQ(judge(at, {400}).order, Order::GoOn);
  }
}

TEST_F(GuardTest, AMomentaryShortageOfMemoryEndsNothing) {
  limits_[Reason::Reserve] = {1000 * kMb, "built-in", ""};
  limits_[Reason::Memory].value = limits_[Reason::TreeMemory].value = 0;
  for (int i = 1; i < 10; ++i) {
    available_ = i % 2 == 0 ? 900 : 1100;
    EXPECT_EQ(judge(50ms * i, {5000}).order, Order::GoOn);
  }
}

TEST_F(GuardTest, TheFasterUseRisesTheSoonerIsTheNextLook) {
  EXPECT_EQ(judge(50ms, {100}).next, limits_.check_interval);
  EXPECT_EQ(judge(100ms, {100}).next, limits_.check_interval) << "at rest";
  const auto slow = judge(200ms, {110}).next;  // 100 MB/s, 890 MB to go: half of 8.9 s
  EXPECT_NEAR(static_cast<double>(slow.count()), 4450.0, 100.0);
  const auto fast = judge(300ms, {210}).next;  // 1000 MB/s, 790 MB to go
  EXPECT_NEAR(static_cast<double>(fast.count()), 395.0, 20.0);
  EXPECT_EQ(judge(400ms, {900}).next, 50ms) << "the minimum";
}

TEST(CurveTest, ALongRunKeepsItsShapeInAFewPoints) {
  Curve curve;
  for (int i = 0; i < 100'000; ++i) {
    curve.add(i * 100ms, static_cast<std::uint64_t>(i == 50'000 ? 9'000'000 : i));
  }
  EXPECT_LE(curve.points().size(), 64U);
  EXPECT_GE(curve.points().size(), 32U);
  EXPECT_EQ(*std::ranges::max_element(curve.points()), 9'000'000U) << "a spike is never lost";
  EXPECT_GE(curve.step() * static_cast<long>(curve.points().size()), 100'000 * 100ms);
}

TEST(CurveTest, AnUnsampledMomentHasTheValueOfTheNextSample) {
  Curve curve;
  curve.add(0ms, 5);
  curve.add(210ms, 7);
  EXPECT_EQ(curve.points(), (std::vector<std::uint64_t>{5, 7, 7, 7, 7}));
}

}  // namespace
}  // namespace onelane::guard
