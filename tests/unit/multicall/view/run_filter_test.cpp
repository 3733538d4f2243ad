#include "multicall/view/run_filter.hpp"

#include <gtest/gtest.h>

#include <array>
#include <ctime>

namespace onelane::multicall {
namespace {

using journal::Reason;
using journal::Record;

constexpr std::int64_t kDay = 86'400'000;
constexpr std::int64_t kNow = 1'795'000'000'000;

Record record_of(Reason reason, std::optional<std::int64_t> code = {}) {
  Record record;
  record.id = "abcdefghijk";
  record.tool = "make";
  record.argv = {"make", "-j8", "say \"hi\"", "caf\u00e9"};
  record.branch = "feature/caf\u00e9";
  record.user = "anna";
  record.agent = "claude";
  record.started_wall_ms = kNow - 2 * kDay;
  record.ended_wall_ms = kNow - kDay;
  record.reason = reason;
  record.code = code;
  record.card = R"({"limit":"memory","sizes":[1,2]})";
  return record;
}

/// Checks a record both ways; the line filter may let more pass, never less.
bool matches(const RunFilter& filter, const Record& record) {
  const bool does = filter.matches(view_of(record));
  const bool may = LineFilter{filter}.may_match(journal::to_line(record));
  EXPECT_TRUE(may || !does) << journal::to_line(record);
  return does;
}

RunFilter with_status(const std::string& status) {
  RunFilter filter;
  filter.statuses = {status};
  return filter;
}

TEST(RunFilter, AnEmptyOneMatchesAll) {
  EXPECT_TRUE(matches({}, record_of(Reason::Exited, 0)));
  EXPECT_TRUE(matches({}, Record{}));
}

TEST(RunFilter, EveryStateHasItsReasons) {
  struct Case {
    Record record;
    std::string state;
  };
  const std::vector<Case> cases{
      {record_of(Reason::Exited, 0), "ok"},       {record_of(Reason::Exited, 2), "failed"},
      {record_of(Reason::NotStarted), "failed"},  {record_of(Reason::Signalled), "killed"},
      {record_of(Reason::Memory, 137), "killed"}, {record_of(Reason::Stopped, 0), "killed"},
      {record_of(Reason::Crashed), "killed"}};
  for (const auto& [record, state] : cases) {
    for (const std::string wanted : {"ok", "failed", "killed", "running", "queued"}) {
      EXPECT_EQ(matches(with_status(wanted), record), wanted == state) << wanted;
    }
    EXPECT_TRUE(matches(with_status(std::string{journal::word_of(record.reason)}), record));
    EXPECT_FALSE(matches(with_status("pipeline-timeout"), record));
  }
  RunFilter several;
  several.statuses = {"ok", "memory"};
  EXPECT_TRUE(matches(several, record_of(Reason::Memory, 137)));
  EXPECT_TRUE(matches(several, record_of(Reason::Exited, 0)));
  EXPECT_FALSE(matches(several, record_of(Reason::Exited, 1)));
}

TEST(RunFilter, KnowsItsWords) {
  EXPECT_TRUE(is_status_word("ok"));
  EXPECT_TRUE(is_status_word("tree-memory"));
  EXPECT_FALSE(is_status_word("okay"));
  EXPECT_FALSE(is_status_word(""));
}

TEST(RunFilter, TextsAreComparedWhole) {
  const Record record = record_of(Reason::Exited, 0);
  for (auto field : {&RunFilter::tool, &RunFilter::branch, &RunFilter::user, &RunFilter::agent}) {
    RunFilter filter;
    filter.*field = field == &RunFilter::tool     ? "make"
                    : field == &RunFilter::branch ? "feature/caf\u00e9"
                    : field == &RunFilter::user   ? "anna"
                                                  : "claude";
    EXPECT_TRUE(matches(filter, record));
    (filter.*field).pop_back();
    EXPECT_FALSE(matches(filter, record));
  }
}

TEST(RunFilter, ACommandIsFoundAsItIsShown) {
  const Record record = record_of(Reason::Exited, 0);
  RunFilter filter;
  for (const std::string text : {"make -j8", "say \"hi\" caf\u00e9", "\"", " ", "8 s", "caf"}) {
    filter.command = text;
    EXPECT_TRUE(matches(filter, record)) << text;
  }
  for (const std::string text : {"make j8", "-j9", "anna"}) {
    filter.command = text;
    EXPECT_FALSE(matches(filter, record)) << text;
  }
}

TEST(RunFilter, SinceGoesByTheEnd) {
  RunFilter filter;
  filter.since_wall_ms = kNow - kDay;
  EXPECT_TRUE(matches(filter, record_of(Reason::Exited, 0)));
  filter.since_wall_ms += 1;
  EXPECT_FALSE(matches(filter, record_of(Reason::Exited, 0)));
}

TEST(LineFilter, SparesWhatCannotMatch) {
  const std::string ok = journal::to_line(record_of(Reason::Exited, 0));
  EXPECT_FALSE(LineFilter{with_status("failed")}.may_match(ok));
  EXPECT_FALSE(LineFilter{with_status("killed")}.may_match(ok));
  EXPECT_FALSE(LineFilter{with_status("memory")}.may_match(ok));
  RunFilter filter;
  filter.since_wall_ms = kNow;
  EXPECT_FALSE(LineFilter{filter}.may_match(ok));
  filter = {};
  filter.tool = "git";
  EXPECT_FALSE(LineFilter{filter}.may_match(ok));
}

}  // namespace
}  // namespace onelane::multicall
