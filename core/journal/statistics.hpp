#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/journal/record.hpp"

namespace onelane::journal {

/// How a set of numbers is spread. Percentiles are by nearest rank: each is one of the numbers.
/// All zero without any.
struct Spread {
  std::uint64_t count = 0;
  std::int64_t total = 0;
  std::int64_t p50 = 0;
  std::int64_t p90 = 0;
  std::int64_t p95 = 0;
  std::int64_t max = 0;
  friend bool operator==(const Spread&, const Spread&) = default;
};
[[nodiscard]] Spread spread_of(std::vector<std::int64_t> numbers);

/// Median of the peak memory of a kind's first and last quarter of runs, in the order in which
/// they were asked for; of kinds with kFewestForGrowth runs or more.
struct Growth {
  std::uint64_t first_kb = 0;
  std::uint64_t last_kb = 0;
  friend bool operator==(const Growth&, const Growth&) = default;
};

/// All runs of one kind (kind_of). A run that did not start counts in `runs` and `waited_ms` only.
struct KindStatistics {
  std::string kind;  ///< Printable.
  std::string tool;  ///< Printable.
  bool is_service = false;
  std::uint64_t runs = 0;
  std::uint64_t failed = 0;  ///< Exited by themselves, with another code than 0.
  std::uint64_t ended = 0;   ///< By us: Timeout to Stopped.
  std::uint64_t cpu_ms = 0;  ///< Together.
  Spread waited_ms;          ///< Those that did not wait are in it, with 0.
  Spread duration_ms;        ///< Of runs that exited by themselves, whatever the code.
  Spread peak_tree_kb;       ///< All processes of a run together; measured runs only.
  Spread peak_process_kb;    ///< The largest process; measured runs only.
  Spread peak_processes;     ///< Measured runs only.
  std::optional<Growth> growth;
};

/// How often runs of a kind ended for a reason other than their own exit.
struct EndStatistics {
  Reason reason = Reason::Crashed;
  std::string kind;
  std::uint64_t count = 0;
  std::string last_id;  ///< The newest such run; "?" where the journal has no run id.
  std::int64_t last_wall_ms = 0;
};

/// A run whose peak memory (all processes) is far over its kind's usual: over the median by more
/// than six scaled median absolute deviations (1.4826 · MAD, as good as a standard deviation), by
/// more than half of the median and by more than 64 MiB; of kinds with kFewestForSpikes runs or
/// more.
struct Spike {
  std::string id;
  std::string kind;
  std::int64_t started_wall_ms = 0;
  std::uint64_t peak_kb = 0;
  std::uint64_t usual_kb = 0;  ///< The kind's median.
};

/// What was asked for in one hour of the day.
struct HourStatistics {
  std::uint64_t runs = 0;
  std::uint64_t waits = 0;     ///< Runs that waited for kShortestWait or longer.
  std::int64_t waited_ms = 0;  ///< Together, all of it in the hour in which the run was asked for.
  friend bool operator==(const HourStatistics&, const HourStatistics&) = default;
};

/// How long runs of one kind waited while a run of another (or the same) held their lane.
struct WaitPair {
  std::string waiter;  ///< A kind.
  std::string holder;  ///< A kind.
  std::uint64_t times = 0;
  std::int64_t waited_ms = 0;
};

/// What the lane has kept apart: its runs as they would have overlapped had each started when it
/// was asked for and taken as long as it did. Real overlapping runs slow each other down, so
/// this is the least that was avoided, in time; peaks need not coincide, so it is the most, in
/// memory. It is no measure of time gained: a run that waits ends later than it would have.
struct Overlap {
  std::int64_t avoided_ms = 0;  ///< Time in which two or more would have run at once.
  std::uint64_t most_runs = 0;  ///< At once.
  std::uint64_t most_kb = 0;    ///< Sum of the peaks of those that would have run at once.
};

/// A value for a setting and what it would have meant: the largest p95 of any kind with
/// kFewestForLimits runs or more, with room to spare (a quarter for memory and processes, as much
/// again for time), rounded up. Of kinds that take the lane; services and editors have no limit
/// of time.
struct LimitAdvice {
  std::string setting;  ///< "MEMORY_LIMIT_MB", "TREE_MEMORY_LIMIT_MB", "MAX_PROCESSES", "TIMEOUT".
  std::uint64_t value = 0;   ///< As it would be set: MB (1024 · 1024 bytes), a number, seconds.
  std::uint64_t passed = 0;  ///< Of the runs below, those that used no more.
  /// Runs that exited by themselves and were measured, and those that this limit has ended: what
  /// they would have needed is not known, so they never pass.
  std::uint64_t runs = 0;
  std::string kind;  ///< Whose p95 it is.
};

/// Everything there is to say about a set of runs. Lists are sorted, the most important first,
/// and complete: cutting them is up to the caller.
struct Statistics {
  std::uint64_t runs = 0;
  std::array<std::uint64_t, sys::kReasonWords.size()> by_reason{};  ///< Index: Reason.
  std::uint64_t failed = 0;        ///< Exited by themselves, with another code than 0.
  std::int64_t first_wall_ms = 0;  ///< When the first was asked for; 0 without any.
  std::int64_t last_wall_ms = 0;   ///< When the last one was.
  std::uint64_t waits = 0;         ///< Runs that waited for kShortestWait or longer.
  Spread waited_ms;                ///< Of all runs, those that did not wait with 0.
  Spread duration_ms;              ///< Of runs that exited by themselves.
  Overlap overlap;
  std::vector<KindStatistics> kinds;       ///< Most time (waited and running) first.
  std::vector<EndStatistics> ends;         ///< Most frequent first.
  std::vector<Spike> spikes;               ///< Newest first.
  std::array<HourStatistics, 24> hours{};  ///< As Collector::Options::hour_of has it.
  std::vector<WaitPair> pairs;             ///< Longest first.
  std::vector<LimitAdvice> advice;
};

inline constexpr std::int64_t kShortestWait =
    50;  ///< ms; what is less is the way through the lane.
inline constexpr std::size_t kFewestForSpikes = 8;
inline constexpr std::size_t kFewestForGrowth = 20;
inline constexpr std::size_t kFewestForLimits = 10;

/// Takes in runs, in any order, and computes. No I/O; memory: about 100 bytes a run. Times that
/// no clock shows are brought into range, and spans come from the steady clock's figures
/// (waited_ms, duration_ms): a wall clock that jumps moves a run, never stretches it.
class StatisticsCollector {
 public:
  struct Options {
    std::int64_t since_wall_ms = 0;  ///< Runs asked for earlier do not count.
    std::string tool;                ///< Only runs of this tool count; empty: all.
    /// Hour of the day, 0 to 23, of a moment in ms since the epoch; asked once a quarter of an
    /// hour. Empty: UTC.
    std::function<int(std::int64_t)> hour_of;
  };
  explicit StatisticsCollector(Options options);
  StatisticsCollector(const StatisticsCollector&) = delete;
  StatisticsCollector& operator=(const StatisticsCollector&) = delete;
  ~StatisticsCollector();

  void add(const Record& run);
  /// Runs that do not count (another tool's) still are what the others waited for.
  [[nodiscard]] Statistics compute() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace onelane::journal
