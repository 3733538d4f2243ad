#include "core/journal/statistics.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/journal/plausible.hpp"
#include "core/journal/statistics_runs.hpp"
#include "core/journal/usual.hpp"
#include "core/sys/text.hpp"

namespace onelane::journal {
namespace {

constexpr std::size_t kLongestName = 100;

std::int64_t clamped(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min(value, static_cast<std::uint64_t>(kMostKb)));
}

constexpr std::int64_t kQuarter = 15 * 60'000;  // no time zone begins within one

int utc_hour(std::int64_t wall_ms) {
  return static_cast<int>(wall_ms / 3'600'000 % 24);
}

}  // namespace

struct StatisticsCollector::State {
  /// Numbers texts in the order in which they come.
  class Names {
   public:
    /// The number of `text`, and whether it is new.
    std::pair<std::uint32_t, bool> number_of(std::string_view text) {
      if (text == last_ && !numbers_.empty()) {
        return {last_number_, false};
      }
      last_.assign(text);
      const auto [it, is_new] =
          numbers_.emplace(last_, static_cast<std::uint32_t>(numbers_.size()));
      last_number_ = it->second;
      return {last_number_, is_new};
    }

   private:
    std::string last_;  ///< Neighbours are often alike.
    std::uint32_t last_number_ = 0;
    std::unordered_map<std::string, std::uint32_t> numbers_;
  };

  Options options;
  Runs runs;
  Names kind_names;
  Names lane_names;
  std::vector<Kind> kinds;
};

Spread spread_of(std::vector<std::int64_t> numbers) {
  Spread spread;
  if (numbers.empty()) {
    return spread;
  }
  // Each percentile is looked for among what is not above the one before: nearest rank.
  auto end = numbers.end();
  const auto percentile = [&](std::size_t percent) {
    const std::size_t rank = (numbers.size() * percent + 99) / 100;
    const auto nth = numbers.begin() + static_cast<std::ptrdiff_t>(rank - 1);
    std::nth_element(numbers.begin(), nth, end);
    end = nth + 1;
    return *nth;
  };
  spread.count = numbers.size();
  for (const std::int64_t number : numbers) {
    spread.total += number;
  }
  spread.max = std::ranges::max(numbers);
  spread.p95 = percentile(95);
  spread.p90 = percentile(90);
  spread.p50 = percentile(50);
  return spread;
}

StatisticsCollector::StatisticsCollector(Options options) : state_{std::make_unique<State>()} {
  state_->options = std::move(options);
}

StatisticsCollector::~StatisticsCollector() = default;

void StatisticsCollector::add(const Skim& skim) {
  Run run;
  run.started =
      plausible(skim.started_wall_ms != 0 ? skim.started_wall_ms : skim.queued_wall_ms, kLatestMs);
  run.waited = plausible(skim.waited_ms, std::min(kLongestMs, run.started));
  run.queued = run.started - run.waited;
  if (run.queued < state_->options.since_wall_ms) {
    return;
  }
  (is_run_id(skim.id) ? skim.id : "?").copy(run.id.data(), run.id.size() - 1);
  run.duration = plausible(skim.duration_ms, kLongestMs);
  run.held = plausible(skim.held_ms(), kLongestMs);
  run.reason = skim.reason;
  run.has_failed = run.has_exited() && skim.code.value_or(0) != 0;
  run.is_service = skim.cls == "service";
  run.is_limited = skim.cls == "lane" || skim.cls.empty();
  run.counts = state_->options.tool.empty() || skim.tool == state_->options.tool;
  run.tree_kb = clamped(std::max(skim.peak_tree_kb, skim.peak_process_kb));
  run.process_kb = clamped(skim.peak_process_kb);
  run.processes = clamped(skim.peak_processes);
  run.cpu_ms = clamped(skim.cpu_ms);
  run.lane = state_->lane_names.number_of(skim.lane).first;
  const std::string_view kind = kind_of(skim.command.empty() ? skim.tool : skim.command);
  const auto [number, is_new] = state_->kind_names.number_of(kind);
  if (is_new) {
    state_->kinds.push_back(
        {sys::printable(kind, kLongestName), sys::printable(skim.tool, kLongestName)});
  }
  run.kind = number;
  state_->runs.push_back(run);
}

namespace {

void add_totals(Statistics& out, const RunPointers& counted) {
  std::vector<std::int64_t> waited;
  std::vector<std::int64_t> durations;
  for (const Run* run : counted) {
    ++out.by_reason.at(static_cast<std::size_t>(run->reason));
    out.failed += run->has_failed ? 1U : 0U;
    out.waits += run->waited >= kShortestWait ? 1U : 0U;
    waited.push_back(run->waited);
    if (run->has_exited()) {
      durations.push_back(run->duration);
    }
  }
  out.runs = counted.size();
  if (!counted.empty()) {
    out.first_wall_ms = counted.front()->queued;
    out.last_wall_ms = counted.back()->queued;
  }
  out.waited_ms = spread_of(std::move(waited));
  out.duration_ms = spread_of(std::move(durations));
}

/// Neighbours in time share their quarter of an hour: the time zone is asked once for it.
void add_hours(Statistics& out, const RunPointers& counted,
               const std::function<int(std::int64_t)>& hour_of) {
  std::int64_t quarter = -1;
  std::size_t hour = 0;
  for (const Run* run : counted) {
    if (run->queued / kQuarter != quarter) {
      quarter = run->queued / kQuarter;
      hour = static_cast<std::size_t>(
          std::clamp(hour_of ? hour_of(run->queued) : utc_hour(run->queued), 0, 23));
    }
    HourStatistics& statistics = out.hours.at(hour);
    ++statistics.runs;
    statistics.waits += run->waited >= kShortestWait ? 1U : 0U;
    statistics.waited_ms += run->waited;
  }
}

}  // namespace

Statistics StatisticsCollector::compute() const {
  Statistics out;
  RunPointers counted;
  for (const Run& run : state_->runs) {
    if (run.counts) {
      counted.push_back(&run);
    }
  }
  const auto queued = [](const Run* run) { return run->queued; };
  if (!std::ranges::is_sorted(counted, {}, queued)) {
    std::ranges::stable_sort(counted, {}, queued);
  }
  add_totals(out, counted);
  add_hours(out, counted, state_->options.hour_of);
  add_kinds(out, counted, state_->kinds);
  add_advice(out, counted, state_->kinds);
  add_pairs(out, state_->runs, state_->kinds);
  add_overlap(out, counted);
  return out;
}

}  // namespace onelane::journal
