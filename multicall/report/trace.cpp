#include "multicall/report/trace.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "multicall/report/words.hpp"

namespace onelane::multicall {
namespace {

using journal::Record;
using nlohmann::json;

constexpr int kProcess = 1;
constexpr std::size_t kLongestInTrace = 300;

/// One row of the timeline.
struct Track {
  int number = 0;
  std::int64_t free_from = 0;  ///< When its last slice ends, in milliseconds.
};

std::int64_t queued_at(const Record& record) {
  return std::max<std::int64_t>(0, start_of(record) - std::max<std::int64_t>(0, record.waited_ms));
}

/// Assigns each run the first track of its tool that is free at its time.
class Tracks {
 public:
  explicit Tracks(json& events) : events_{events} {}

  int place(const Record& record) {
    auto& tracks = of_tool_[record.tool];
    auto track = std::ranges::find_if(
        tracks, [&](const Track& one) { return one.free_from <= queued_at(record); });
    if (track == tracks.end()) {
      tracks.push_back({++last_, 0});
      track = std::prev(tracks.end());
      const std::string name = clean_text(record.tool, kLongestInTrace) +
                               (tracks.size() == 1 ? "" : fmt::format(" ({})", tracks.size()));
      meta("thread_name", track->number, {{"name", name}});
      meta("thread_sort_index", track->number, {{"sort_index", track->number}});
    }
    track->free_from = std::max(end_of(record), queued_at(record) + 1);
    return track->number;
  }

 private:
  void meta(const char* name, int track, json args) {
    events_.push_back({{"ph", "M"},
                       {"name", name},
                       {"pid", kProcess},
                       {"tid", track},
                       {"args", std::move(args)}});
  }

  json& events_;
  std::map<std::string, std::vector<Track>> of_tool_;
  int last_ = 0;
};

json slice(const Record& record, int track, const char* category, std::int64_t from_ms,
           std::int64_t duration_ms) {
  const std::string command = command_of(record, kLongestInTrace);
  json args{{"run", record.id}, {"command", command}};
  const bool is_wait = std::string_view{category} == "wait";
  if (!is_wait) {
    args["outcome"] = phrase_of(record);
    args["peak_memory_kb"] = record.peak_tree_kb;
    args["cpu_ms"] = record.cpu_ms;
  }
  return {{"ph", "X"},
          {"name", is_wait ? "wait: " + command : command},
          {"cat", category},
          {"pid", kProcess},
          {"tid", track},
          {"ts", from_ms * 1000},
          {"dur", duration_ms * 1000},
          {"args", std::move(args)}};
}

/// A run's memory from a moment on: time, run, bytes.
using Level = std::tuple<std::int64_t, std::size_t, std::uint64_t>;

/// The curve if a card has one, else the peak from start to end.
void add_levels(std::vector<Level>& levels, const Record& record, std::size_t index) {
  if (record.peak_tree_kb == 0) {
    return;
  }
  const std::int64_t start = start_of(record);
  const std::int64_t end = std::max(end_of(record), start + 1);
  const json card = json::parse(record.card, nullptr, false);
  const json curve = card.is_object() ? card.value("curve", json::array()) : json::array();
  const auto step = card.is_object() && card.contains("curve_step_ms") &&
                            card["curve_step_ms"].is_number_integer()
                        ? std::clamp<std::int64_t>(card["curve_step_ms"], 1, 86'400'000)
                        : std::int64_t{0};
  std::int64_t at = start;
  if (step > 0 && curve.is_array()) {
    for (const json& bytes : curve) {
      if (bytes.is_number_unsigned() && at < end) {
        levels.emplace_back(at, index, bytes);
      }
      at += step;
    }
  }
  if (at == start) {
    levels.emplace_back(start, index, record.peak_tree_kb * 1024);
  }
  levels.emplace_back(end, index, 0);
}

/// The memory of all runs at each moment at which one of them changes.
void add_counter(json& events, const std::vector<Record>& runs) {
  std::vector<Level> levels;
  for (std::size_t index = 0; index < runs.size(); ++index) {
    add_levels(levels, runs[index], index);
  }
  std::ranges::sort(levels);
  std::vector<std::uint64_t> current(runs.size());
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto& [at, index, bytes] = levels[i];
    sum += bytes - current[index];
    current[index] = bytes;
    if (i + 1 == levels.size() || std::get<0>(levels[i + 1]) != at) {
      events.push_back({{"ph", "C"},
                        {"name", "memory"},
                        {"pid", kProcess},
                        {"tid", 0},
                        {"ts", at * 1000},
                        {"args", {{"MB", static_cast<double>(sum) / 1048576}}}});
    }
  }
}

}  // namespace

std::string trace_of(const History& history) {
  json events = json::array();
  events.push_back({{"ph", "M"},
                    {"name", "process_name"},
                    {"pid", kProcess},
                    {"tid", 0},
                    {"args", {{"name", "onelane: " + clean_text(history.name, kLongestInTrace)}}}});
  std::vector<const Record*> in_order;
  for (const Record& record : history.runs) {
    in_order.push_back(&record);
  }
  std::ranges::stable_sort(in_order, {}, [](const Record* record) { return queued_at(*record); });
  Tracks tracks{events};
  for (const Record* record : in_order) {
    const int track = tracks.place(*record);
    const std::int64_t start = start_of(*record);
    if (record->waited_ms > 0) {
      const std::int64_t queued = queued_at(*record);
      events.push_back(slice(*record, track, "wait", queued, start - queued));
    }
    if (outcome_of(*record) != Outcome::NotStarted) {
      events.push_back(slice(*record, track, "run", start, end_of(*record) - start));
    }
  }
  add_counter(events, history.runs);
  // Names first, then in the order of time.
  std::ranges::stable_sort(events.get_ref<json::array_t&>(), {},
                           [](const json& event) { return event.value("ts", std::int64_t{-1}); });
  const json out{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace onelane::multicall
