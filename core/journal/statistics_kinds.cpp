#include <algorithm>
#include <cmath>
#include <map>

#include "core/journal/statistics_runs.hpp"

namespace onelane::journal {
namespace {

constexpr double kMadsAreFar = 6;
constexpr double kMadToDeviation = 1.4826;
constexpr std::int64_t kNoSpikeKb = std::int64_t{64} << 10U;

std::int64_t median_of(std::vector<std::int64_t> numbers) {
  return spread_of(std::move(numbers)).p50;
}

/// Peaks of the measured runs, in the order of the runs.
std::vector<std::int64_t> peaks_of(const RunPointers& runs) {
  std::vector<std::int64_t> peaks;
  for (const Run* run : runs) {
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

void add_spikes(Statistics& out, const RunPointers& runs, const Kind& kind, std::int64_t median) {
  const std::vector<std::int64_t> peaks = peaks_of(runs);
  if (peaks.size() < kFewestForSpikes) {
    return;
  }
  const std::int64_t bound = spike_bound(peaks, median);
  for (const Run* run : runs) {
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

  void add(const Run& run) {
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

KindStatistics statistics_of(const RunPointers& runs, const Kind& kind) {
  KindStatistics out;
  Figures figures;
  out.kind = kind.name;
  out.tool = kind.tool;
  out.is_service = runs.front()->is_service;
  out.runs = runs.size();
  for (const Run* run : runs) {
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

void add_ends(Statistics& out, const RunPointers& runs, const Kind& kind) {
  std::map<Reason, EndStatistics> ends;
  for (const Run* run : runs) {
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

std::vector<RunPointers> by_kind(const RunPointers& counted, std::size_t kinds) {
  std::vector<RunPointers> out(kinds);
  for (const Run* run : counted) {
    out[run->kind].push_back(run);
  }
  return out;
}

}  // namespace

void add_kinds(Statistics& out, const RunPointers& counted, const std::vector<Kind>& kinds) {
  const std::vector<RunPointers> groups = by_kind(counted, kinds.size());
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

}  // namespace onelane::journal
