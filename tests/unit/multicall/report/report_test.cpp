#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "multicall/report/history.hpp"
#include "multicall/report/hours.hpp"
#include "multicall/report/job_summary.hpp"
#include "multicall/report/page.hpp"
#include "multicall/report/trace.hpp"
#include "multicall/report/words.hpp"

namespace onelane::multicall {
namespace {

using journal::Reason;
using journal::Record;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::int64_t kNoon = 1'795'262'400'000;
constexpr const char* kHostile = "</script><img src=x> | `a` @all \n::error::x\x1b[2J";

/// `make test`, which waited from `queued` on and then ran for `duration`.
Record run(std::int64_t queued, std::int64_t waited, std::int64_t duration) {
  Record record;
  record.id = "abcdefghij7";
  record.tool = "make";
  record.argv = {"make", "test"};
  record.queued_wall_ms = kNoon + queued;
  record.waited_ms = waited;
  record.started_wall_ms = kNoon + queued + waited;
  record.duration_ms = duration;
  record.ended_wall_ms = record.started_wall_ms + duration;
  record.code = 0;
  record.peak_tree_kb = 2048;
  return record;
}

Record ended(std::string command) {
  Record record = run(0, 0, 9'000);
  record.argv = {std::move(command)};
  record.code = 137;
  record.reason = Reason::Memory;
  record.card =
      R"({"used":1187000000,"limit":1073741824,"limit_name":"MEMORY_LIMIT_MB","limit_place":"a|b",)"
      R"("change":"memory_limit_mb = 1700","after_ms":8000,"curve":[1,2,3],"curve_step_ms":3000})";
  return record;
}

History history_of(std::vector<Record> runs) {
  History history;
  history.name = "shop";
  history.figures = figures_of(runs);
  history.runs = std::move(runs);
  return history;
}

TEST(FiguresTest, EachOutcomeIsCountedOnceAndAShortWaitIsNone) {
  Record failed = run(0, 99, 1'000);
  failed.code = 2;
  Record crashed = run(5'000, 2'000, 0);
  crashed.reason = Reason::Crashed;
  crashed.code.reset();
  Record lost = run(6'000, 3'000, 0);
  lost.reason = Reason::NotStarted;
  const std::vector<Record> runs{run(0, 0, 500), failed, crashed, lost, ended("npm")};
  const Figures figures = figures_of(runs);
  EXPECT_EQ(figures.runs, 5U);
  EXPECT_EQ(figures.waited, 2U);
  EXPECT_EQ(figures.waited_ms, 5'000);
  EXPECT_EQ(figures.longest_wait_ms, 3'000);
  EXPECT_EQ(figures.failed, 1U);
  EXPECT_EQ(figures.crashed, 1U);
  EXPECT_EQ(figures.not_started, 1U);
  EXPECT_EQ(figures.ended, 1U);
  EXPECT_EQ(figures.first_wall_ms, kNoon);
}

TEST(JobSummaryTest, WhatARunIsCalledIsNeitherMarkupNorCommand) {
  const History history = history_of({ended(kHostile)});
  const std::string markdown = markdown_of(history);
  EXPECT_THAT(markdown, AllOf(Not(HasSubstr("<img")), Not(HasSubstr("</script")),
                              Not(HasSubstr("`a`")), Not(HasSubstr("@all")), Not(HasSubstr("\x1b")),
                              HasSubstr("&#60;&#47;script&#62;")));
  const std::string annotations = annotations_of(history);
  EXPECT_THAT(annotations, StartsWith("::error title=onelane%3A memory limit::"));
  EXPECT_EQ(std::ranges::count(annotations, '\n'), 1);
  EXPECT_THAT(annotations, HasSubstr("used 1132 MB of 1024 MB (MEMORY_LIMIT_MB), after 8s"));
}

TEST(JobSummaryTest, APercentSignInACommandIsNoEscape) {
  EXPECT_THAT(annotations_of(history_of({ended("a%0A::error::b")})),
              HasSubstr("::a%250A::error::b"));
}

TEST(JobSummaryTest, AnnotatesTheNewestRunsOnlyAndNoneThatEndedByItself) {
  EXPECT_EQ(annotations_of(history_of({run(0, 0, 5)})), "");
  const std::vector<Record> many(40, ended("npm"));
  EXPECT_EQ(std::ranges::count(annotations_of(history_of(many)), '\n'),
            static_cast<std::ptrdiff_t>(kMostAnnotations));
}

TEST(JobSummaryTest, ManyRunsAreCutWithANoteBelowTheLimit) {
  std::vector<Record> runs(9'000, run(0, 0, 5));
  for (Record& record : runs) {
    record.argv.assign(40, "<<<<<<<<");
  }
  const std::string markdown = markdown_of(history_of(std::move(runs)));
  EXPECT_LE(markdown.size(), kLongestSummary);
  EXPECT_GT(markdown.size(), kLongestSummary / 2);
  EXPECT_THAT(markdown, testing::EndsWith("</details>\n\n*The rest is left out: the summary has "
                                          "reached its size limit.*\n"));
  EXPECT_EQ(markdown_of(history_of({run(0, 0, 5)}), 10), "") << "no room, nothing";
}

TEST(TraceTest, SlicesOfATrackNeverOverlapAndAWaitEndsWhereItsRunStarts) {
  std::vector<Record> runs;
  for (std::int64_t i = 0; i < 30; ++i) {
    runs.push_back(run(i * 300, i * 700, 1'000));
  }
  const json trace = json::parse(trace_of(history_of(std::move(runs))));
  std::map<int, std::int64_t> free_from;
  std::size_t slices = 0;
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "X") {
      ++slices;
      std::int64_t& free = free_from[event.at("tid").get<int>()];
      EXPECT_GE(event.at("ts").get<std::int64_t>(), free);
      free = event.at("ts").get<std::int64_t>() + event.at("dur").get<std::int64_t>();
    }
  }
  EXPECT_EQ(slices, 59U) << "the first one did not wait";
  EXPECT_GT(free_from.size(), 1U);
}

/// The fields that the Trace Event Format requires of each phase.
TEST(TraceTest, EveryEventHasTheFieldsOfItsPhaseAndTimesAreInOrder) {
  Record crashed = run(500, 0, 0);
  crashed.reason = Reason::Crashed;
  crashed.started_wall_ms = kNoon + 500;
  crashed.ended_wall_ms = crashed.duration_ms = 0;
  const json trace = json::parse(
      trace_of(history_of({run(0, 0, 1'000), crashed, run(100, 900, 1'000), ended("npm")})));
  std::set<std::string> phases;
  std::set<int> named;
  std::set<int> used;
  std::int64_t last = 0;
  for (const json& event : trace.at("traceEvents")) {
    const std::string phase = event.at("ph");
    phases.insert(phase);
    EXPECT_TRUE(event.at("name").is_string() && event.at("pid").is_number_integer() &&
                event.at("tid").is_number_integer() && event.at("args").is_object())
        << event;
    if (phase == "M") {
      EXPECT_THAT(event.at("name").get<std::string>(),
                  testing::AnyOf("process_name", "thread_name", "thread_sort_index"));
      EXPECT_EQ(last, 0) << "names come first";
      named.insert(event.at("tid").get<int>());
      continue;
    }
    EXPECT_GE(event.at("ts").get<std::int64_t>(), last);
    last = event.at("ts");
    if (phase == "X") {
      EXPECT_TRUE(event.at("cat").is_string());
      EXPECT_GE(event.at("dur").get<std::int64_t>(), 0);
      used.insert(event.at("tid").get<int>());
    } else {
      EXPECT_TRUE(event.at("args").at("MB").is_number());
    }
  }
  EXPECT_EQ(phases, (std::set<std::string>{"C", "M", "X"}));
  EXPECT_TRUE(std::ranges::includes(named, used));
}

TEST(TraceTest, MemoryFollowsTheCurveAndEndsAtNothing) {
  const json trace = json::parse(trace_of(history_of({ended("npm")})));
  std::vector<std::pair<std::int64_t, double>> levels;
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") == "C") {
      levels.emplace_back(event.at("ts").get<std::int64_t>() / 1000 - kNoon,
                          event.at("args").at("MB").get<double>() * 1048576);
    }
  }
  EXPECT_THAT(levels, testing::ElementsAre(testing::Pair(0, 1), testing::Pair(3'000, 2),
                                           testing::Pair(6'000, 3), testing::Pair(9'000, 0)));
}

TEST(PageTest, TextOfARunCannotEndTheScriptItIsIn) {
  const std::string page = page_of(history_of({ended(kHostile), ended("\u2028\u2029<!--")}));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<img")), Not(HasSubstr("<!--")), Not(HasSubstr("\u2028")),
                          Not(HasSubstr("{{")), HasSubstr("\\u003c/script\\u003e"),
                          HasSubstr("default-src 'none'")));
}

TEST(PageTest, AnEmptyHistoryIsAPage) {
  EXPECT_THAT(page_of(history_of({})), AllOf(StartsWith("<!DOCTYPE html>"), HasSubstr("</html>")));
}

TEST(HourSumsTest, RunsOfAnHourAndAToolAreOneRow) {
  HourSums sums;
  for (int i = 0; i < 5; ++i) {
    sums.add(run(i * 1'000, 10, 500));
  }
  Record failed = ended("make");
  failed.tool = "make";
  sums.add(failed);
  sums.add(run(3'600'000, 0, 500));
  ASSERT_EQ(sums.rows().size(), 2U);
  const HourOfRuns& first = sums.rows().begin()->second;
  EXPECT_EQ(first.runs, 6U);
  EXPECT_EQ(first.not_passed, 1U);
  EXPECT_EQ(first.ended, 1U);
  EXPECT_EQ(first.waited_ms, 50);
  EXPECT_EQ(first.duration_ms, 5 * 500 + 9'000);
  EXPECT_EQ(first.largest_kb, 2048U);
  EXPECT_THAT(sums.tools(), testing::ElementsAre("make"));
}

TEST(HourSumsTest, TooManyHoursBecomeDaysAndTooManyToolsOne) {
  HourSums sums;
  for (std::int64_t hour = 0; hour <= static_cast<std::int64_t>(HourSums::kMostRows); ++hour) {
    sums.add(run(hour * 3'600'000, 0, 1));
  }
  EXPECT_EQ(sums.length(), std::chrono::hours{24});
  EXPECT_LE(sums.rows().size(), HourSums::kMostRows / 24 + 2);
  for (int tool = 0; tool < 100; ++tool) {
    Record record = run(0, 0, 1);
    record.tool = std::to_string(tool);
    sums.add(record);
  }
  EXPECT_EQ(sums.tools().size(), HourSums::kMostTools);
  std::uint64_t runs = 0;
  for (const auto& [key, sum] : sums.rows()) {
    runs += sum.runs;
  }
  EXPECT_EQ(runs, HourSums::kMostRows + 101) << "each run is in one row";
}

TEST(PageTest, HoweverLongTheRunsItStaysBelowFiveMegabytesAndCountsAll) {
  std::vector<Record> runs;
  for (int i = 0; i < 9'000; ++i) {
    runs.push_back(i % 20 == 0 ? ended(std::string(900, '<')) : run(i * 60'000, 0, 500));
    runs.back().argv.emplace_back(static_cast<std::size_t>(i % 900), '&');
  }
  History history = history_of(std::move(runs));
  for (std::int64_t hour = 0; hour < 39'000; ++hour) {
    history.older.add(run(-hour * 3'600'000, 12'345, 1'234'567));
  }
  EXPECT_LT(page_of(history).size(), 5'000'000U);
  const json data = json::parse(json_of(history));
  EXPECT_GT(data.at("runs").size(), 500U);
  std::size_t counted = data.at("runs").size();
  for (const json& row : data.at("older").at("rows")) {
    counted += row.at(2).get<std::size_t>();
  }
  EXPECT_EQ(counted, 9'000U + 39'000U);
}

/// A directory with a journal of the given lines.
class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "report-XXXXXX").string();
    history_.lane = ::mkdtemp(pattern.data());
  }
  ~JournalTest() override { std::filesystem::remove_all(history_.lane); }

  void read(const std::vector<std::string>& lines) {
    std::ofstream journal{history_.lane + "/runs.jsonl"};
    for (const std::string& line : lines) {
      journal << R"({"schema":1,"id":"abcdefghij7","tool":"make","reason":"exited",)" << line
              << "}\n";
    }
    journal.close();
    read_runs(history_);
  }

  History history_;
};

TEST_F(JournalTest, ImpossibleTimesAreClampedToTheRangeOfDates) {
  const std::string most = "9223372036854775807";
  const std::string least = "-9223372036854775808";
  read({R"("started_wall_ms":)" + most + R"(,"duration_ms":)" + most + R"(,"waited_ms":)" + most,
        R"("started_wall_ms":8640000000000001,"peak_tree_kb":18446744073709551615)",
        R"("queued_wall_ms":)" + most + R"(,"waited_ms":)" + most,
        R"("ended_wall_ms":)" + least + R"(,"duration_ms":)" + most,
        R"("started_wall_ms":)" + least + R"(,"duration_ms":)" + least + R"(,"waited_ms":)" +
            least});
  ASSERT_EQ(history_.runs.size(), 5U);
  constexpr std::int64_t kLatestOfDate = 8'640'000'000'000'000;  // ECMA-262, time values
  for (const Record& record : history_.runs) {
    EXPECT_GE(start_of(record), 0);
    EXPECT_LE(end_of(record), kLatestOfDate);
    EXPECT_GE(end_of(record), start_of(record));
    EXPECT_GE(record.waited_ms, 0);
  }
  EXPECT_GT(history_.figures.duration_ms, 0);
  EXPECT_GT(history_.figures.waited_ms, 0);
  EXPECT_LE(history_.figures.last_wall_ms, kLatestOfDate);
  EXPECT_THAT(time_words(history_.figures.waited_ms), Not(StartsWith("-")));
  EXPECT_THAT(page_of(history_), Not(HasSubstr(most)));
  const json trace = json::parse(trace_of(history_));
  for (const json& event : trace.at("traceEvents")) {
    EXPECT_GE(event.value("dur", 0LL), 0);
    EXPECT_LE(std::abs(event.value("ts", 0LL)), kLatestOfDate * 1000);
  }
}

TEST_F(JournalTest, OnlyTheLanesOwnJournalIsRead) {
  std::filesystem::create_directory(history_.lane + "/git");
  std::ofstream{history_.lane + "/git/runs.jsonl"}
      << R"({"schema":1,"id":"abcdefghij2","reason":"exited"})"
      << "\n";
  read({R"("started_wall_ms":1)"});
  EXPECT_EQ(history_.figures.runs, 1U);
}

TEST(WordsTest, ATimeBeyondAllBoundsIsStillOne) {
  EXPECT_EQ(time_words(INT64_MAX), time_words(INT64_MAX - 1));
  EXPECT_THAT(time_words(INT64_MAX), Not(StartsWith("-")));
}

TEST(WordsTest, ACardThatIsNoCardSaysNothing) {
  for (const char* card : {"", "[]", "5", "{", "\"text\""}) {
    Record record = ended("npm");
    record.card = card;
    EXPECT_EQ(advice_of(record).sentence, "") << card;
  }
  Record record = ended("npm");
  record.card = R"({"used":-1,"limit":"all","limit_name":7,"after_ms":1e300})";
  EXPECT_EQ(advice_of(record).sentence, "used 0 MB of 0 MB");
}

}  // namespace
}  // namespace onelane::multicall
