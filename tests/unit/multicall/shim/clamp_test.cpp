#include "multicall/shim/clamp.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string_view>

#include "multicall/shim/environment.hpp"

namespace onelane::multicall {
namespace {

using settings::Clamp;
using testing::IsEmpty;

/// A call that owns its arguments.
struct Words {
  explicit Words(std::vector<std::string> given) : text{std::move(given)} {
    for (std::string& word : text) {
      argv.push_back(word.data());
    }
    call = make_call(static_cast<int>(argv.size()), argv.data());
  }
  std::vector<std::string> text;
  std::vector<char*> argv;
  Call call;
};

settings::Settings bound(Clamp clamp, unsigned workers) {
  settings::Settings settings;
  settings.clamp.value = clamp;
  settings.max_workers.value = workers;
  return settings;
}

bool is_subset(const cpu_set_t& some, const cpu_set_t& all) {
  cpu_set_t both;
  CPU_AND(&both, &some, &all);
  return CPU_EQUAL(&both, &some) != 0;
}

TEST(ClampPlanTest, HardUsesTheFirstProcessorsOfTheCaller) {
  cpu_set_t own;
  ASSERT_EQ(::sched_getaffinity(0, sizeof own, &own), 0);
  if (CPU_COUNT(&own) < 2) {
    GTEST_SKIP() << "needs more than one processor";
  }
  const Words make{{"make", "-j16"}};
  const ClampPlan plan = plan_clamp(make.call, bound(Clamp::Hard, 1), shims::Class::Lane);
  ASSERT_TRUE(plan.processors);
  EXPECT_EQ(CPU_COUNT(&*plan.processors), 1);
  EXPECT_TRUE(is_subset(*plan.processors, own));
  EXPECT_EQ(plan.notice, "-j16 -> -j1, at most 1 processor (CLAMP=hard)");
  EXPECT_FALSE(plan_clamp(make.call, bound(Clamp::Soft, 1), shims::Class::Lane).processors);
}

TEST(ClampPlanTest, NamedProcessorsOutrankTheBound) {
  const Words make{{"make"}};
  for (const unsigned workers : {0U, 1U}) {
    settings::Settings settings = bound(Clamp::Hard, workers);
    settings.cpu_affinity.value = "0,1023";
    const ClampPlan plan = plan_clamp(make.call, settings, shims::Class::Lane);
    ASSERT_TRUE(plan.processors);
    EXPECT_EQ(CPU_COUNT(&*plan.processors), 1)
        << "without processors that the machine does not have";
    EXPECT_THAT(plan.notice, IsEmpty());
  }
}

TEST(ClampPlanTest, ACallThatPassesIsNotClamped) {
  const Words make{{"make", "-n", "-j16"}};
  settings::Settings settings = bound(Clamp::Hard, 1);
  settings.cpu_affinity.value = "0";
  const ClampPlan plan = plan_clamp(make.call, settings, shims::Class::Pass);
  EXPECT_THAT(plan.environment, IsEmpty());
  EXPECT_FALSE(plan.args || plan.processors);
}

TEST(ClampPlanTest, TheToolGetsTheLoweredArgumentsAndEachVariableOnce) {
  ::setenv("CARGO_BUILD_JOBS", "16", 1);
  ::setenv("CARGO_BUILD_JOBS_OF_MINE", "16", 1);
  const Words make{{"/shims/make", "-k", "-j16", "all"}};
  ClampPlan plan = plan_clamp(make.call, bound(Clamp::Hard, 2), shims::Class::Lane);
  std::vector<char*> argv{make.argv};
  argv.push_back(nullptr);
  use_clamped_args(plan, argv);
  EXPECT_STREQ(argv[0], "/shims/make");
  EXPECT_STREQ(argv[1], "-k");
  EXPECT_STREQ(argv[2], "-j2");
  EXPECT_STREQ(argv[3], "all");
  EXPECT_EQ(argv[4], nullptr);
  const ToolEnvironment environment{"run", "", plan.environment};
  std::vector<std::string_view> jobs;
  for (const char* const* entry = environment.data(); *entry != nullptr; ++entry) {
    if (std::string_view{*entry}.starts_with("CARGO_BUILD_JOBS")) {
      jobs.emplace_back(*entry);
    }
  }
  EXPECT_THAT(jobs,
              testing::UnorderedElementsAre("CARGO_BUILD_JOBS=2", "CARGO_BUILD_JOBS_OF_MINE=16"));
  ::unsetenv("CARGO_BUILD_JOBS");
  ::unsetenv("CARGO_BUILD_JOBS_OF_MINE");
}

}  // namespace
}  // namespace onelane::multicall
