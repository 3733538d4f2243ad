#include <algorithm>

#include "core/journal/statistics_runs.hpp"

namespace onelane::journal {
namespace {

/// One setting: which figure of a run it bounds, and with which reason it ends one.
struct Limit {
  const char* setting;
  Reason reason;
  std::int64_t Run::*figure;
  std::int64_t unit;     ///< Of the figure in one of the setting.
  std::int64_t percent;  ///< Of the p95: room to spare.
  std::int64_t least;    ///< Nobody wants a lower one.
  bool is_time;
};

constexpr std::array<Limit, 4> kLimits{{
    {"MEMORY_LIMIT_MB", Reason::Memory, &Run::process_kb, 1024, 125, 100, false},
    {"TREE_MEMORY_LIMIT_MB", Reason::TreeMemory, &Run::tree_kb, 1024, 125, 200, false},
    {"MAX_PROCESSES", Reason::Processes, &Run::processes, 1, 125, 20, false},
    {"TIMEOUT", Reason::Timeout, &Run::held, 1000, 200, 60, true},
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

bool is_in_sample(const Limit& limit, const Run& run) {
  const bool is_bounded = limit.is_time ? run.is_limited : !run.is_service;
  const bool has_figure = limit.is_time ? run.has_started() : run.was_measured();
  return is_bounded && has_figure && (run.has_exited() || run.reason == limit.reason);
}

std::int64_t value_for(const Limit& limit, std::int64_t p95) {
  const std::int64_t whole = limit.unit * 100;
  return std::max(limit.least, rounded_up((p95 * limit.percent + whole - 1) / whole));
}

void add_advice_for(Statistics& out, const Limit& limit, const RunPointers& counted,
                    const std::vector<Kind>& kinds) {
  std::vector<std::vector<std::int64_t>> figures(kinds.size());
  RunPointers sample;
  for (const Run* run : counted) {
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
  advice.passed = static_cast<std::uint64_t>(std::ranges::count_if(sample, [&](const Run* run) {
    return run->has_exited() && run->*limit.figure <= value * limit.unit;
  }));
  out.advice.push_back(std::move(advice));
}

}  // namespace

void add_advice(Statistics& out, const RunPointers& counted, const std::vector<Kind>& kinds) {
  for (const Limit& limit : kLimits) {
    add_advice_for(out, limit, counted, kinds);
  }
}

}  // namespace onelane::journal
