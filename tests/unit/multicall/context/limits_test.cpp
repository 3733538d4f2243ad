#include "multicall/context/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>

#include "core/settings/schema.hpp"
#include "multicall/term/exit_codes.hpp"

namespace onelane::multicall {
namespace {

using guard::LimitRow;
using guard::Unit;

settings::Settings set(const std::string& name, const std::string& text) {
  settings::Settings settings;
  const settings::Source source{settings::Origin::Environment, {}, 0, "KEY"};
  EXPECT_EQ(apply_text(settings, *settings::find_field(name), text, source), std::nullopt);
  return settings;
}

std::string lower(std::string_view name) {
  std::string text{name};
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

TEST(LimitsOfTest, EachLimitHasASettingOfItsNameAndIsShown) {
  for (const LimitRow& row : guard::limit_rows()) {
    const std::string name = lower(row.name);
    ASSERT_NE(settings::find_field(name), nullptr) << name;
    EXPECT_EQ(limit_named(name), &row);
    const settings::Settings settings = set(name, "3");
    const guard::Limit limit = limits_of(settings, true)[row.reason];
    EXPECT_EQ(limit.value, row.unit == Unit::Bytes          ? std::uint64_t{3} << 20U
                           : row.unit == Unit::Milliseconds ? 3'000U
                                                            : 3U)
        << name;
    EXPECT_EQ(limit.place, "environment (KEY)");
    EXPECT_EQ(limit.key, "KEY");
    const auto rows = limits_in_force(settings);
    const auto shown = std::ranges::find(rows, name, &settings::Row::name);
    ASSERT_NE(shown, rows.end()) << name;
    EXPECT_EQ(shown->value, row.unit == Unit::Milliseconds ? "3s" : "3");
  }
}

TEST(LimitsOfTest, WithoutTimeLimitsTheOthersStay) {
  for (const LimitRow& row : guard::limit_rows()) {
    const settings::Settings settings = set(lower(row.name), "3");
    EXPECT_EQ(limits_of(settings, false)[row.reason].value == 0, row.unit == Unit::Milliseconds)
        << row.name;
  }
}

TEST(LimitsOfTest, OnlyABuiltInSizeIsReducedToTheMachine) {
  settings::Settings settings;
  settings.memory_limit_mb.value = std::uint64_t{1} << 40U;
  const std::uint64_t cut = limits_of(settings, true)[sys::Reason::Memory].value;
  EXPECT_LT(cut, std::uint64_t{1} << 50U);
  EXPECT_GT(cut, std::uint64_t{1} << 20U);
  settings.memory_limit_mb.source.origin = settings::Origin::User;
  EXPECT_EQ(limits_of(settings, true)[sys::Reason::Memory].value, std::uint64_t{1} << 60U);
}

TEST(LimitsOfTest, IdleOnlyWarnsUnlessSetToKill) {
  settings::Settings settings;
  EXPECT_FALSE(limits_of(settings, true)[sys::Reason::Idle].ends);
  settings.idle_action.value = settings::IdleAction::Kill;
  EXPECT_TRUE(limits_of(settings, true)[sys::Reason::Idle].ends);
}

TEST(LimitsOfTest, TheExitCodesAreThoseThatHelpNames) {
  for (const LimitRow& row : guard::limit_rows()) {
    EXPECT_EQ(row.exit_code, row.unit == Unit::Milliseconds ? kExitTimedOut : kExitOverLimit);
  }
}

TEST(LimitsOfTest, OtherSettingsAreNotLimits) {
  for (const char* name : {"kill_timeout", "max_load", "MEMORY_LIMIT_MB", ""}) {
    EXPECT_EQ(limit_named(name), nullptr) << name;
  }
}

}  // namespace
}  // namespace onelane::multicall
