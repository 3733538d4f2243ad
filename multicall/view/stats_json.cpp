#include <algorithm>
#include <nlohmann/json.hpp>

#include "multicall/view/stats_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

json to_json(const journal::Spread& spread) {
  return {{"count", spread.count}, {"total", spread.total}, {"p50", spread.p50},
          {"p90", spread.p90},     {"p95", spread.p95},     {"max", spread.max}};
}

json to_json(const journal::KindStatistics& kind) {
  json growth;
  if (kind.growth) {
    growth = {{"first_kb", kind.growth->first_kb}, {"last_kb", kind.growth->last_kb}};
  }
  return {{"kind", kind.kind},
          {"tool", kind.tool},
          {"service", kind.is_service},
          {"runs", kind.runs},
          {"failed", kind.failed},
          {"ended", kind.ended},
          {"cpu_ms", kind.cpu_ms},
          {"waited_ms", to_json(kind.waited_ms)},
          {"duration_ms", to_json(kind.duration_ms)},
          {"peak_tree_kb", to_json(kind.peak_tree_kb)},
          {"peak_process_kb", to_json(kind.peak_process_kb)},
          {"peak_processes", to_json(kind.peak_processes)},
          {"growth", std::move(growth)}};
}

json to_json(const journal::EndStatistics& end) {
  return {{"reason", journal::word_of(end.reason)},
          {"kind", end.kind},
          {"count", end.count},
          {"last_id", end.last_id},
          {"last_wall_ms", end.last_wall_ms}};
}

json to_json(const journal::Spike& spike) {
  return {{"id", spike.id},
          {"kind", spike.kind},
          {"started_wall_ms", spike.started_wall_ms},
          {"peak_kb", spike.peak_kb},
          {"usual_kb", spike.usual_kb}};
}

json to_json(const journal::HourStatistics& hour) {
  return {{"runs", hour.runs}, {"waits", hour.waits}, {"waited_ms", hour.waited_ms}};
}

json to_json(const journal::WaitPair& pair) {
  return {{"waiter", pair.waiter},
          {"holder", pair.holder},
          {"times", pair.times},
          {"waited_ms", pair.waited_ms}};
}

json to_json(const journal::LimitAdvice& advice) {
  return {{"setting", advice.setting},
          {"value", advice.value},
          {"passed", advice.passed},
          {"runs", advice.runs},
          {"kind", advice.kind}};
}

template <class List>
json list_of(const List& list, std::size_t top) {
  json out = json::array();
  for (const auto& item : list) {
    if (top != 0 && out.size() == top) {
      break;
    }
    out.push_back(to_json(item));
  }
  return out;
}

}  // namespace

json stats_json(const journal::Statistics& statistics, std::size_t top) {
  json reasons = json::object();
  for (std::size_t i = 0; i < statistics.by_reason.size(); ++i) {
    reasons[std::string{journal::word_of(static_cast<journal::Reason>(i))}] =
        statistics.by_reason[i];
  }
  return {{"runs", statistics.runs},
          {"failed", statistics.failed},
          {"reasons", std::move(reasons)},
          {"first_wall_ms", statistics.first_wall_ms},
          {"last_wall_ms", statistics.last_wall_ms},
          {"waits", statistics.waits},
          {"waited_ms", to_json(statistics.waited_ms)},
          {"duration_ms", to_json(statistics.duration_ms)},
          {"overlap",
           {{"avoided_ms", statistics.overlap.avoided_ms},
            {"most_runs", statistics.overlap.most_runs},
            {"most_kb", statistics.overlap.most_kb}}},
          {"kinds", list_of(statistics.kinds, top)},
          {"ends", list_of(statistics.ends, top)},
          {"spikes", list_of(statistics.spikes, top)},
          {"hours", list_of(statistics.hours, 0)},
          {"wait_pairs", list_of(statistics.pairs, top)},
          {"advice", list_of(statistics.advice, 0)}};
}

}  // namespace onelane::multicall
