#include "core/guard/limits.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace onelane::guard {
namespace {

using sys::Reason;

TEST(LimitRowsTest, EachHasItsOwnNameAndReasonAndWordsForBoth) {
  std::set<std::string_view> names;
  std::set<Reason> reasons;
  for (const LimitRow& row : limit_rows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(reasons.insert(row.reason).second) << row.name;
    EXPECT_TRUE(sys::is_by_onelane(row.reason)) << row.name;
    EXPECT_EQ(row_of(row.reason), &row);
    EXPECT_FALSE(row.kind.empty() || row.ended.empty() || row.brief.empty()) << row.name;
    EXPECT_TRUE(!row.warns_at_half || !row.warning.empty()) << row.name;
  }
}

TEST(LimitRowsTest, EveryReasonExceptTheFirstAndLastBelongsToALimit) {
  for (std::size_t i = 0; i < sys::kReasonWords.size(); ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_EQ(row_of(reason) != nullptr, sys::is_by_onelane(reason) && reason != Reason::Stopped)
        << sys::kReasonWords.at(i);
  }
}

TEST(LimitRowsTest, TimeLimitsExitLikeTimeoutAndOthersLikeTheOomKiller) {
  for (const LimitRow& row : limit_rows()) {
    EXPECT_EQ(row.exit_code, row.unit == Unit::Milliseconds ? 124 : 137) << row.name;
  }
}

TEST(LimitsTest, OnlyLimitsOfTheUnitAreLifted) {
  Limits limits;
  for (const LimitRow& row : limit_rows()) {
    limits[row.reason].value = 7;
  }
  limits.lift(Unit::Milliseconds);
  for (const LimitRow& row : limit_rows()) {
    EXPECT_EQ(limits[row.reason].value, row.unit == Unit::Milliseconds ? 0U : 7U) << row.name;
  }
}

TEST(FilledTest, EachNameIsReplacedByItsText) {
  const Word words[] = {{"used", "5 MB"}, {"limit", "{used}"}};
  EXPECT_EQ(filled("{used} of {limit}", words), "5 MB of {used}");
  EXPECT_EQ(filled("{unknown}, {used", words), ", ");
  EXPECT_EQ(filled("", words), "");
}

}  // namespace
}  // namespace onelane::guard
