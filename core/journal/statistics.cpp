#include "core/journal/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/journal/plausible.hpp"
#include "core/journal/usual.hpp"
#include "core/sys/text.hpp"

namespace onelane::journal {

/// The figures of one run; every number is in a range in which sums of all runs fit.
struct Sample {
  std::array<char, 12> id{};  ///< NUL-terminated; "?" for what is no run id.
  Reason reason = Reason::Exited;
  bool has_failed = false;  ///< Exited by itself, with another code than 0.
  bool is_service = false;  ///< Takes no lane.
  bool is_limited = false;  ///< Limits of time apply.
  bool counts = false;      ///< Else it is only what others waited for.
  std::uint32_t kind = 0;   ///< Index into the kinds.
  std::uint32_t lane = 0;   ///< Equal for runs of one lane.
  std::int64_t queued = 0;  ///< ms since the epoch, as the others: waited before `started`.
  std::int64_t started = 0;
  std::int64_t waited = 0;
  std::int64_t duration = 0;
  std::int64_t held = 0;  ///< The part of it with the lane.
  std::int64_t tree_kb = 0;
  std::int64_t process_kb = 0;
  std::int64_t processes = 0;
  std::int64_t cpu_ms = 0;

  [[nodiscard]] bool has_started() const noexcept { return reason != Reason::NotStarted; }
  [[nodiscard]] bool was_measured() const noexcept { return has_started() && tree_kb > 0; }
  [[nodiscard]] bool was_ended() const noexcept { return sys::is_by_onelane(reason); }
  [[nodiscard]] bool has_exited() const noexcept { return reason == Reason::Exited; }
};

struct Kind {
  std::string name;
  std::string tool;
};

using Samples = std::deque<Sample>;  ///< Never moved: there are many.
using SamplePointers = std::vector<const Sample*>;

namespace {

constexpr std::size_t kLongestName = 100;

std::int64_t clamped(std::uint64_t value) {
  return static_cast<std::int64_t>(std::min(value, static_cast<std::uint64_t>(kMostKb)));
}

constexpr std::int64_t kQuarter = 15 * 60'000;  // no time zone begins within one

int utc_hour(std::int64_t wall_ms) {
  return static_cast<int>(wall_ms / 3'600'000 % 24);
}

void add_totals(Statistics& out, const SamplePointers& counted) {
  std::vector<std::int64_t> waited;
  std::vector<std::int64_t> durations;
  for (const Sample* run : counted) {
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
void add_hours(Statistics& out, const SamplePointers& counted,
               const std::function<int(std::int64_t)>& hour_of) {
  std::int64_t quarter = -1;
  std::size_t hour = 0;
  for (const Sample* run : counted) {
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

constexpr double kMadsAreFar = 6;
constexpr double kMadToDeviation = 1.4826;
constexpr std::int64_t kNoSpikeKb = std::int64_t{64} << 10U;

std::int64_t median_of(std::vector<std::int64_t> numbers) {
  return spread_of(std::move(numbers)).p50;
}

/// Peaks of the measured runs, in the order of the runs.
std::vector<std::int64_t> peaks_of(const SamplePointers& runs) {
  std::vector<std::int64_t> peaks;
  for (const Sample* run : runs) {
    if (run->was_measured()) {
      peaks.push_back(run->tree_kb);
    }
  }
  return peaks;
}

std::optional<Growth> growth_of(const std::vector<std::int64_t>& peaks) {
  if (peaks.size() < kFewestForGrowth) {
    return std::nullopt;
  }
  const auto quarter = static_cast<std::ptrdiff_t>(peaks.size() / 4);
  return Growth{static_cast<std::uint64_t>(median_of({peaks.begin(), peaks.begin() + quarter})),
                static_cast<std::uint64_t>(median_of({peaks.end() - quarter, peaks.end()}))};
}

/// What a peak must be over to be a spike.
std::int64_t spike_bound(const std::vector<std::int64_t>& peaks, std::int64_t median) {
  std::vector<std::int64_t> deviations;
  deviations.reserve(peaks.size());
  for (const std::int64_t peak : peaks) {
    deviations.push_back(std::abs(peak - median));
  }
  const auto mad = static_cast<double>(median_of(std::move(deviations)));
  const auto far = static_cast<std::int64_t>(kMadsAreFar * kMadToDeviation * mad);
  return median + std::max({far, median / 2, kNoSpikeKb});
}

void add_spikes(Statistics& out, const SamplePointers& runs, const Kind& kind,
                std::int64_t median) {
  const std::vector<std::int64_t> peaks = peaks_of(runs);
  if (peaks.size() < kFewestForSpikes) {
    return;
  }
  const std::int64_t bound = spike_bound(peaks, median);
  for (const Sample* run : runs) {
    if (run->was_measured() && run->tree_kb > bound) {
      out.spikes.push_back({run->id.data(), kind.name, run->started,
                            static_cast<std::uint64_t>(run->tree_kb),
                            static_cast<std::uint64_t>(median)});
    }
  }
}

/// The figures of a kind's runs, gathered in one pass: the runs are far apart in memory.
struct Figures {
  std::vector<std::int64_t> waited;
  std::vector<std::int64_t> durations;
  std::vector<std::int64_t> tree_kb;
  std::vector<std::int64_t> process_kb;
  std::vector<std::int64_t> processes;

  explicit Figures(std::size_t runs) {
    for (auto* figures : {&waited, &durations, &tree_kb, &process_kb, &processes}) {
      figures->reserve(runs);
    }
  }
  void add(const Sample& run) {
    waited.push_back(run.waited);
    if (run.has_exited()) {
      durations.push_back(run.duration);
    }
    if (run.was_measured()) {
      tree_kb.push_back(run.tree_kb);
      process_kb.push_back(run.process_kb);
      processes.push_back(run.processes);
    }
  }
};

KindStatistics statistics_of(const SamplePointers& runs, const Kind& kind) {
  KindStatistics out;
  Figures figures{runs.size()};
  out.kind = kind.name;
  out.tool = kind.tool;
  out.is_service = runs.front()->is_service;
  out.runs = runs.size();
  for (const Sample* run : runs) {
    out.failed += run->has_failed ? 1U : 0U;
    out.ended += run->was_ended() ? 1U : 0U;
    out.cpu_ms += static_cast<std::uint64_t>(run->cpu_ms);
    figures.add(*run);
  }
  out.growth = growth_of(figures.tree_kb);
  out.waited_ms = spread_of(std::move(figures.waited));
  out.duration_ms = spread_of(std::move(figures.durations));
  out.peak_tree_kb = spread_of(std::move(figures.tree_kb));
  out.peak_process_kb = spread_of(std::move(figures.process_kb));
  out.peak_processes = spread_of(std::move(figures.processes));
  return out;
}

void add_ends(Statistics& out, const SamplePointers& runs, const Kind& kind) {
  std::map<Reason, EndStatistics> ends;
  for (const Sample* run : runs) {
    if (run->has_exited()) {
      continue;
    }
    EndStatistics& end = ends[run->reason];
    end.reason = run->reason;
    end.kind = kind.name;
    ++end.count;
    end.last_id = run->id.data();  // runs come in order
    end.last_wall_ms = run->started + run->duration;
  }
  for (auto& [reason, end] : ends) {
    out.ends.push_back(std::move(end));
  }
}

std::vector<SamplePointers> by_kind(const SamplePointers& counted, std::size_t kinds) {
  std::vector<SamplePointers> out(kinds);
  for (const Sample* run : counted) {
    out[run->kind].push_back(run);
  }
  return out;
}

void add_kinds(Statistics& out, const SamplePointers& counted, const std::vector<Kind>& kinds) {
  const std::vector<SamplePointers> groups = by_kind(counted, kinds.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].empty()) {
      continue;
    }
    out.kinds.push_back(statistics_of(groups[i], kinds[i]));
    add_ends(out, groups[i], kinds[i]);
    add_spikes(out, groups[i], kinds[i], out.kinds.back().peak_tree_kb.p50);
  }
  std::ranges::stable_sort(out.kinds, std::ranges::greater{}, [](const KindStatistics& kind) {
    return kind.waited_ms.total + kind.duration_ms.total;
  });
  std::ranges::stable_sort(out.ends, std::ranges::greater{}, &EndStatistics::count);
  std::ranges::stable_sort(out.spikes, std::ranges::greater{}, &Spike::started_wall_ms);
}

/// One setting: which figure of a run it bounds, and with which reason it ends one.
struct Limit {
  const char* setting;
  Reason reason;
  std::int64_t Sample::*figure;
  std::int64_t unit;     ///< Of the figure in one of the setting.
  std::int64_t percent;  ///< Of the p95: room to spare.
  std::int64_t least;    ///< A lower one is of no use.
  bool is_time;
};

constexpr std::array<Limit, 4> kLimits{{
    {"MEMORY_LIMIT_MB", Reason::Memory, &Sample::process_kb, 1024, 125, 100, false},
    {"TREE_MEMORY_LIMIT_MB", Reason::TreeMemory, &Sample::tree_kb, 1024, 125, 200, false},
    {"MAX_PROCESSES", Reason::Processes, &Sample::processes, 1, 125, 20, false},
    {"TIMEOUT", Reason::Timeout, &Sample::held, 1000, 200, 60, true},
}};

/// To the next half of a power of ten: 2460 becomes 2500, 12300 becomes 15000.
std::int64_t rounded_up(std::int64_t value) {
  std::int64_t power = 1;
  while (value / power >= 10) {
    power *= 10;
  }
  const std::int64_t step = std::max<std::int64_t>(1, power / 2);
  return (value + step - 1) / step * step;
}

bool is_in_sample(const Limit& limit, const Sample& run) {
  const bool is_bounded = limit.is_time ? run.is_limited : !run.is_service;
  const bool has_figure = limit.is_time ? run.has_started() : run.was_measured();
  return is_bounded && has_figure && (run.has_exited() || run.reason == limit.reason);
}

std::int64_t value_for(const Limit& limit, std::int64_t p95) {
  const std::int64_t whole = limit.unit * 100;
  return std::max(limit.least, rounded_up((p95 * limit.percent + whole - 1) / whole));
}

void add_advice_for(Statistics& out, const Limit& limit, const SamplePointers& counted,
                    const std::vector<Kind>& kinds) {
  std::vector<std::vector<std::int64_t>> figures(kinds.size());
  SamplePointers sample;
  for (const Sample* run : counted) {
    if (is_in_sample(limit, *run)) {
      sample.push_back(run);
      if (run->has_exited()) {
        figures[run->kind].push_back(run->*limit.figure);
      }
    }
  }
  std::int64_t most = -1;
  LimitAdvice advice;
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    if (figures[kind].size() >= kFewestForLimits) {
      const std::int64_t p95 = spread_of(std::move(figures[kind])).p95;
      advice.kind = p95 > most ? kinds[kind].name : advice.kind;
      most = std::max(most, p95);
    }
  }
  if (most < 0) {
    return;
  }
  const std::int64_t value = value_for(limit, most);
  advice.setting = limit.setting;
  advice.value = static_cast<std::uint64_t>(value);
  advice.runs = sample.size();
  advice.passed = static_cast<std::uint64_t>(std::ranges::count_if(sample, [&](const Sample* run) {
    return run->has_exited() && run->*limit.figure <= value * limit.unit;
  }));
  out.advice.push_back(std::move(advice));
}

void add_advice(Statistics& out, const SamplePointers& counted, const std::vector<Kind>& kinds) {
  for (const Limit& limit : kLimits) {
    add_advice_for(out, limit, counted, kinds);
  }
}

/// Holders that one wait is compared with, the last before its end: more than wait in any lane.
constexpr std::size_t kMostHolders = 256;

std::int64_t end_of(const Sample& run) {
  return run.started + run.held;
}

/// The runs that held one lane, in the order of their starts.
struct Holders {
  SamplePointers runs;
  std::vector<std::int64_t> latest_end;  ///< Of a run and all before it.
};

std::map<std::uint32_t, Holders> holders_of(const Samples& runs) {
  std::map<std::uint32_t, Holders> lanes;
  for (const Sample& run : runs) {
    if (!run.is_service && run.has_started()) {
      lanes[run.lane].runs.push_back(&run);
    }
  }
  for (auto& [lane, holders] : lanes) {
    std::ranges::stable_sort(holders.runs, {}, [](const Sample* run) { return run->started; });
    std::int64_t latest = 0;
    for (const Sample* run : holders.runs) {
      latest = std::max(latest, end_of(*run));
      holders.latest_end.push_back(latest);
    }
  }
  return lanes;
}

/// Calls visit(holder, ms) for each run that held the lane while `waiter` waited.
template <class Visit>
void visit_holders(const Holders& holders, const Sample& waiter, const Visit& visit) {
  const auto behind = std::ranges::lower_bound(holders.runs, waiter.started, {},
                                               [](const Sample* run) { return run->started; });
  auto i = static_cast<std::size_t>(behind - holders.runs.begin());
  for (std::size_t looked = 0; i-- > 0 && looked < kMostHolders; ++looked) {
    if (holders.latest_end[i] <= waiter.queued) {
      return;
    }
    const Sample& holder = *holders.runs[i];
    const std::int64_t shared =
        std::min(end_of(holder), waiter.started) - std::max(holder.started, waiter.queued);
    if (shared > 0) {
      visit(holder, shared);
    }
  }
}

/// The runs of one lane as they would have overlapped, taken in the order in which they were asked
/// for.
class Overlapping {
 public:
  void add(const Sample& run, Overlap& out) {
    end_until(run.queued, out);
    advance_to(run.queued, out);
    running_.push_back({run.queued + run.held, run.tree_kb});
    std::ranges::push_heap(running_, kLatestLast);
    kb_ += run.tree_kb;
    if (running_.size() >= 2) {
      out.most_runs = std::max<std::uint64_t>(out.most_runs, running_.size());
      out.most_kb = std::max(out.most_kb, static_cast<std::uint64_t>(kb_));
    }
  }

  /// Ends those that have ended by then.
  void end_until(std::int64_t when, Overlap& out) {
    while (!running_.empty() && running_.front().end <= when) {
      advance_to(running_.front().end, out);
      kb_ -= running_.front().kb;
      std::ranges::pop_heap(running_, kLatestLast);
      running_.pop_back();
    }
  }

 private:
  struct Running {
    std::int64_t end;
    std::int64_t kb;
  };
  static constexpr auto kLatestLast = [](const Running& a, const Running& b) {
    return a.end > b.end;
  };

  void advance_to(std::int64_t when, Overlap& out) {
    out.avoided_ms += running_.size() >= 2 ? when - now_ : 0;
    now_ = when;
  }

  std::vector<Running> running_;  ///< A heap, what ends next in front.
  std::int64_t now_ = 0;
  std::int64_t kb_ = 0;  ///< Of those that run.
};

void add_pairs(Statistics& out, const Samples& runs, const std::vector<Kind>& kinds) {
  const auto lanes = holders_of(runs);
  std::unordered_map<std::uint64_t, WaitPair> pairs;
  for (const Sample& waiter : runs) {
    const auto lane = lanes.find(waiter.lane);
    if (!waiter.counts || waiter.waited < kShortestWait || lane == lanes.end()) {
      continue;
    }
    visit_holders(lane->second, waiter, [&](const Sample& holder, std::int64_t shared) {
      WaitPair& pair = pairs[std::uint64_t{waiter.kind} << 32U | holder.kind];
      ++pair.times;
      pair.waited_ms += shared;
    });
  }
  for (auto& [key, pair] : pairs) {
    pair.waiter = kinds[key >> 32U].name;
    pair.holder = kinds[key & 0xffffffffU].name;
    out.pairs.push_back(std::move(pair));
  }
  std::ranges::sort(out.pairs, [](const WaitPair& a, const WaitPair& b) {
    return std::tie(b.waited_ms, a.waiter, a.holder) < std::tie(a.waited_ms, b.waiter, b.holder);
  });
}

void add_overlap(Statistics& out, const SamplePointers& counted) {
  std::unordered_map<std::uint32_t, Overlapping> lanes;
  for (const Sample* run : counted) {
    if (!run->is_service && run->has_started() && run->held > 0) {
      lanes[run->lane].add(*run, out.overlap);
    }
  }
  for (auto& [lane, runs] : lanes) {
    runs.end_until(std::numeric_limits<std::int64_t>::max(), out.overlap);
  }
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

  std::uint32_t kind_number_of(const Record& run);

  Options options;
  Samples samples;
  Names kind_names;
  Names lane_names;
  std::vector<Kind> kinds;
  std::string words;                                     ///< Of the run that is added.
  std::unordered_map<std::string, std::uint32_t> known;  ///< Kinds by their first words.
};

/// Commands that begin with the same words are of one kind, which takes longer to make than to
/// remember.
std::uint32_t StatisticsCollector::State::kind_number_of(const Record& run) {
  constexpr std::size_t kWordsOfAKind = 3;
  constexpr std::size_t kMostOfAWord = 128;  // kind_of looks at less
  constexpr std::size_t kMostKnown = 10'000;
  words.assign(run.tool);
  for (std::size_t i = 0; i < std::min(run.argv.size(), kWordsOfAKind); ++i) {
    words.append(1, '\0').append(run.argv[i], 0, kMostOfAWord);
  }
  if (const auto it = known.find(words); it != known.end()) {
    return it->second;
  }
  const std::string kind = kind_of(run);
  const auto [number, is_new] = kind_names.number_of(kind);
  if (is_new) {
    kinds.push_back({sys::printable(kind, kLongestName), sys::printable(run.tool, kLongestName)});
  }
  if (known.size() < kMostKnown) {
    known.emplace(words, number);
  }
  return number;
}

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

void StatisticsCollector::add(const Record& run) {
  Sample sample;
  sample.started =
      plausible(run.started_wall_ms != 0 ? run.started_wall_ms : run.queued_wall_ms, kLatestMs);
  sample.waited = plausible(run.waited_ms, std::min(kLongestMs, sample.started));
  sample.queued = sample.started - sample.waited;
  if (sample.queued < state_->options.since_wall_ms) {
    return;
  }
  (is_run_id(run.id) ? std::string_view{run.id} : "?").copy(sample.id.data(), sample.id.size() - 1);
  sample.duration = plausible(run.duration_ms, kLongestMs);
  sample.held = plausible(held_ms(run), kLongestMs);
  sample.reason = run.reason;
  sample.has_failed = sample.has_exited() && run.code.value_or(0) != 0;
  sample.is_service = run.cls == "service";
  sample.is_limited = run.cls == "lane" || run.cls.empty();
  sample.counts = state_->options.tool.empty() || run.tool == state_->options.tool;
  sample.tree_kb = clamped(std::max(run.peak_tree_kb, run.peak_process_kb));
  sample.process_kb = clamped(run.peak_process_kb);
  sample.processes = clamped(run.peak_processes);
  sample.cpu_ms = clamped(run.cpu_ms);
  sample.lane = state_->lane_names.number_of(run.lane).first;
  sample.kind = state_->kind_number_of(run);
  state_->samples.push_back(sample);
}

Statistics StatisticsCollector::compute() const {
  Statistics out;
  SamplePointers counted;
  for (const Sample& run : state_->samples) {
    if (run.counts) {
      counted.push_back(&run);
    }
  }
  const auto queued = [](const Sample* run) { return run->queued; };
  if (!std::ranges::is_sorted(counted, {}, queued)) {
    std::ranges::stable_sort(counted, {}, queued);
  }
  add_totals(out, counted);
  add_hours(out, counted, state_->options.hour_of);
  add_kinds(out, counted, state_->kinds);
  add_advice(out, counted, state_->kinds);
  add_pairs(out, state_->samples, state_->kinds);
  add_overlap(out, counted);
  return out;
}

}  // namespace onelane::journal
