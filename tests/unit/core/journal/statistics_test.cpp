#include "core/journal/statistics.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace onelane::journal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kNoon = 1'795'003'200'000;  // 12:00 UTC

/// A run of `command` that was asked for at kNoon + `queued` seconds.
Record run_of(std::string_view command, std::int64_t queued, std::int64_t waited,
              std::int64_t duration) {
  Record run;
  run.id = "abcdefghijk";
  run.lane = "/lane";
  run.argv = {std::string{command}};
  run.tool = command.substr(0, command.find(' '));
  run.cls = "lane";
  run.queued_wall_ms = kNoon + queued * 1000;
  run.waited_ms = waited * 1000;
  run.started_wall_ms = run.queued_wall_ms + run.waited_ms;
  run.duration_ms = duration * 1000;
  run.ended_wall_ms = run.started_wall_ms + run.duration_ms;
  run.code = 0;
  return run;
}

Record with_peak(Record run, std::uint64_t megabytes) {
  run.peak_tree_kb = run.peak_process_kb = megabytes << 10U;
  run.peak_processes = 4;
  return run;
}

Statistics computed(const std::vector<Record>& runs, StatisticsCollector::Options options = {}) {
  StatisticsCollector collector{std::move(options)};
  for (const Record& run : runs) {
    collector.add(run);
  }
  return collector.compute();
}

TEST(StatisticsTest, SpreadIsByNearestRank) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 20; i > 0; --i) {
    numbers.push_back(i * 10);
  }
  EXPECT_EQ(spread_of(numbers), (Spread{20, 2100, 100, 180, 190, 200}));
  EXPECT_EQ(spread_of({7}), (Spread{1, 7, 7, 7, 7, 7}));
  EXPECT_EQ(spread_of({}), Spread{});
}

TEST(StatisticsTest, NoRunsGiveNoStatistics) {
  const Statistics all = computed({});
  EXPECT_EQ(all.runs, 0U);
  EXPECT_THAT(all.kinds, IsEmpty());
  EXPECT_THAT(all.advice, IsEmpty());
  EXPECT_EQ(all.overlap.most_runs, 0U);
}

TEST(StatisticsTest, WaitsAreReportedByHolder) {
  // make holds 0 to 10, git waits 2 to 10 and holds to 11, pytest waits 4 to 11.
  const Statistics all = computed(
      {run_of("make all", 0, 0, 10), run_of("git add x y", 2, 8, 1), run_of("pytest", 4, 7, 5)});
  EXPECT_EQ(all.runs, 3U);
  EXPECT_EQ(all.waits, 2U);
  EXPECT_EQ(all.waited_ms.total, 15'000);
  ASSERT_THAT(all.pairs, SizeIs(3));
  EXPECT_EQ(all.pairs[0].waiter, "git add x") << "a kind has three words";
  EXPECT_EQ(all.pairs[0].holder, "make all");
  EXPECT_EQ(all.pairs[0].waited_ms, 8000);
  EXPECT_EQ(all.pairs[1].waiter, "pytest");
  EXPECT_EQ(all.pairs[1].waited_ms, 6000);
  EXPECT_EQ(all.pairs[2].holder, "git add x");
  EXPECT_EQ(all.pairs[2].waited_ms, 1000);
  EXPECT_EQ(all.hours[12], (HourStatistics{3, 2, 15'000}));
}

TEST(StatisticsTest, OverlapIsWhatTheLaneHasAvoided) {
  // As requested: 0 to 10, 2 to 3, 4 to 9.
  const Statistics all =
      computed({with_peak(run_of("make", 0, 0, 10), 100), with_peak(run_of("git", 2, 8, 1), 10),
                with_peak(run_of("pytest", 4, 7, 5), 50)});
  EXPECT_EQ(all.overlap.avoided_ms, 6000);
  EXPECT_EQ(all.overlap.most_runs, 2U);
  EXPECT_EQ(all.overlap.most_kb, 150U << 10U);
}

TEST(StatisticsTest, AServerThatGaveTheLaneBackHeldItUntilThen) {
  Record server = run_of("make serve", 0, 0, 100);
  server.released_ms = 3000;
  const Statistics all = computed({server, run_of("git", 1, 2, 50), run_of("pytest", 60, 1, 1)});
  ASSERT_THAT(all.pairs, SizeIs(1));
  EXPECT_EQ(all.pairs[0].holder, "make serve");
  EXPECT_EQ(all.pairs[0].waited_ms, 2000);
  EXPECT_EQ(all.overlap.avoided_ms, 2000);
  EXPECT_EQ(all.kinds[0].duration_ms.max, 100'000);
}

TEST(StatisticsTest, LanesAndServicesAreSeparate) {
  Record elsewhere = run_of("make", 0, 0, 100);
  elsewhere.lane = "/another";
  Record service = run_of("npm start", 0, 0, 100);
  service.cls = "service";
  const Statistics all = computed({elsewhere, service, run_of("git", 5, 20, 1)});
  EXPECT_THAT(all.pairs, IsEmpty());
  EXPECT_EQ(all.overlap.most_runs, 0U);
}

TEST(StatisticsTest, AToolAloneStillWaitsForTheOthers) {
  StatisticsCollector::Options options;
  options.tool = "git";
  const Statistics all =
      computed({run_of("make", 0, 0, 10), run_of("git", 2, 8, 1)}, std::move(options));
  EXPECT_EQ(all.runs, 1U);
  ASSERT_THAT(all.pairs, SizeIs(1));
  EXPECT_EQ(all.pairs[0].holder, "make");
}

TEST(StatisticsTest, EarlierRunsDoNotCount) {
  StatisticsCollector::Options options;
  options.since_wall_ms = kNoon + 1;
  EXPECT_EQ(computed({run_of("make", 0, 0, 1), run_of("make", 1, 0, 1)}, options).runs, 1U);
}

TEST(StatisticsTest, EndsAndFailuresAreCounted) {
  Record failed = run_of("make", 0, 0, 1);
  failed.code = 2;
  Record killed = run_of("make", 2, 0, 50);
  killed.reason = Reason::Memory;
  killed.id = "kiiiedabcde";
  Record given_up = run_of("make", 3, 0, 0);
  given_up.reason = Reason::NotStarted;
  given_up.id = "\x1b[2J";
  const Statistics all = computed({failed, killed, given_up, run_of("make", 4, 0, 3)});
  EXPECT_EQ(all.failed, 1U);
  EXPECT_EQ(all.by_reason[static_cast<std::size_t>(Reason::Memory)], 1U);
  ASSERT_THAT(all.kinds, SizeIs(1));
  EXPECT_EQ(all.kinds[0].ended, 1U);
  EXPECT_EQ(all.kinds[0].duration_ms, (Spread{2, 4000, 1000, 3000, 3000, 3000}));
  ASSERT_THAT(all.ends, SizeIs(2));
  EXPECT_EQ(all.ends[0].last_id, "?") << "no run id";
  EXPECT_EQ(all.ends[1].last_id, "kiiiedabcde");
}

TEST(StatisticsTest, ASpikeIsFarFromItsKind) {
  std::vector<Record> runs;
  for (int i = 0; i < 8; ++i) {
    runs.push_back(with_peak(run_of("make", i * 10, 0, 1), 200 + static_cast<unsigned>(i)));
  }
  runs.push_back(with_peak(run_of("make", 90, 0, 1), 303));
  EXPECT_THAT(computed(runs).spikes, IsEmpty()) << "not more than half above";
  runs.back() = with_peak(run_of("make", 90, 0, 1), 310);
  const auto spikes = computed(runs).spikes;
  ASSERT_THAT(spikes, SizeIs(1));
  EXPECT_EQ(spikes[0].peak_kb, 310U << 10U);
  EXPECT_EQ(spikes[0].usual_kb, 204U << 10U);
}

TEST(StatisticsTest, GrowthComparesFirstAndLastQuarter) {
  std::vector<Record> runs;
  for (unsigned i = 0; i < 19; ++i) {
    runs.push_back(with_peak(run_of("make", i * 10, 0, 1), 100 + i));
  }
  EXPECT_FALSE(computed(runs).kinds[0].growth);
  runs.push_back(with_peak(run_of("make", 190, 0, 1), 119));
  EXPECT_EQ(computed(runs).kinds[0].growth, (Growth{102U << 10U, 117U << 10U}));
}

TEST(StatisticsTest, AdviceTakesTheLargestKindAndCountsAllRuns) {
  std::vector<Record> runs;
  for (int i = 0; i < 10; ++i) {
    runs.push_back(with_peak(run_of("make", i * 100, 0, 40), 1000));
    runs.push_back(with_peak(run_of("git add", i * 100 + 50, 0, 1), 20));
  }
  runs.push_back(with_peak(run_of("npm ci", 5000, 0, 500), 9000));  // once is not a habit
  Record killed = with_peak(run_of("make", 6000, 0, 40), 900);
  killed.reason = Reason::Memory;
  runs.push_back(killed);
  const auto advice = computed(runs).advice;
  ASSERT_THAT(advice, SizeIs(4));
  EXPECT_EQ(advice[0].setting, "MEMORY_LIMIT_MB");
  EXPECT_EQ(advice[0].value, 1500U) << "1250, rounded up";
  EXPECT_EQ(advice[0].passed, 20U);
  EXPECT_EQ(advice[0].runs, 22U);
  EXPECT_EQ(advice[0].kind, "make");
  EXPECT_EQ(advice[1].runs, 21U) << "another limit ended it";
  EXPECT_EQ(advice[3].setting, "TIMEOUT");
  EXPECT_EQ(advice[3].value, 80U);
  EXPECT_EQ(advice[3].passed, 20U);
  EXPECT_EQ(advice[3].runs, 21U);
}

TEST(StatisticsTest, NineRunsAreTooFew) {
  std::vector<Record> runs(9, with_peak(run_of("make", 0, 0, 40), 1000));
  EXPECT_THAT(computed(runs).advice, IsEmpty());
}

TEST(StatisticsTest, ImpossibleNumbersAreClamped) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  std::vector<Record> runs;
  for (const std::int64_t number : {kMost, kLeast, std::int64_t{-1}, std::int64_t{0}}) {
    Record run = run_of("make", 0, 0, 1);
    run.queued_wall_ms = run.started_wall_ms = run.ended_wall_ms = number;
    run.waited_ms = run.duration_ms = number;
    run.peak_tree_kb = run.peak_process_kb = run.peak_processes = run.cpu_ms =
        static_cast<std::uint64_t>(number);
    runs.insert(runs.end(), 20, run);
  }
  const Statistics all = computed(runs);
  EXPECT_EQ(all.runs, 80U);
  EXPECT_GE(all.waited_ms.total, 0);
  EXPECT_GE(all.overlap.avoided_ms, 0);
}

TEST(StatisticsTest, AClockThatJumpsBackStretchesNothing) {
  Record run = run_of("make", 0, 0, 10);
  run.ended_wall_ms = run.started_wall_ms - 3'600'000;
  const Statistics all = computed({run, run_of("git", 2, 8, 1)});
  ASSERT_THAT(all.pairs, SizeIs(1));
  EXPECT_EQ(all.pairs[0].waited_ms, 8000);
}

}  // namespace
}  // namespace onelane::journal
