#include "multicall/view/stats_view.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <span>

#include "multicall/term/columns.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {
namespace {

using journal::Reason;
using nlohmann::json;

std::string megabytes(std::int64_t kb) {
  return size_words(static_cast<std::uint64_t>(std::max<std::int64_t>(kb, 0)) << 10U);
}

std::string megabytes(std::uint64_t kb) {
  return megabytes(static_cast<std::int64_t>(kb));
}

std::string date_of(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm local{};
  std::array<char, 32> text{};
  if (::localtime_r(&seconds, &local) == nullptr ||
      std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local) == 0) {
    return "?";
  }
  return text.data();
}

std::string left(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string more_words(std::size_t size, std::size_t top) {
  return size > top ? fmt::format("  and {} more (--top)\n", size - top) : "";
}

/// The first `top` rows of a list, and a line that says how many more there are.
template <class List, class Line>
std::string rows_of(const List& list, std::size_t top, const Line& line) {
  std::string text;
  for (std::size_t i = 0; i < std::min(top, list.size()); ++i) {
    text += line(list[i]);
  }
  return text + more_words(list.size(), top);
}

std::string summary(const journal::Statistics& all, const Paint& paint) {
  const auto by = [&all](Reason reason) {
    return all.by_reason.at(static_cast<std::size_t>(reason));
  };
  std::uint64_t ended = 0;
  for (std::size_t i = 0; i < all.by_reason.size(); ++i) {
    ended += sys::is_by_onelane(static_cast<Reason>(i)) ? all.by_reason[i] : 0;
  }
  std::string text = fmt::format(
      "{}     {} from {} to {}\n"
      "         {} exited with 0, {} with an error, {} ended by onelane, {} by a signal",
      paint.bold("runs"), all.runs, date_of(all.first_wall_ms), date_of(all.last_wall_ms),
      by(Reason::Exited) - all.failed, all.failed, ended, by(Reason::Signalled));
  for (const auto& [reason, words] : {std::pair{Reason::Crashed, " crashed"},
                                      std::pair{Reason::NotStarted, " could not be started"}}) {
    text += by(reason) == 0 ? "" : fmt::format(", {}{}", by(reason), words);
  }
  text += "\n";
  text += paint.bold("waiting") + "  " + counted(all.waits, "run", "runs") + " waited: p50 " +
          span_words(all.waited_ms.p50) + ", p90 " + span_words(all.waited_ms.p90) +
          " (of all runs), longest " + span_words(all.waited_ms.max) + ", together " +
          span_words(all.waited_ms.total) + "\n";
  const journal::Overlap& overlap = all.overlap;
  if (overlap.most_runs >= 2) {
    text += fmt::format("{}  {} of two or more runs at once; up to {} at once, with {}\n",
                        paint.bold("avoided"), span_words(overlap.avoided_ms), overlap.most_runs,
                        megabytes(overlap.most_kb));
  }
  return text;
}

std::string kinds_table(const journal::Statistics& all, const Paint& paint, std::size_t top,
                        std::size_t width) {
  Columns columns{{{"COMMAND", 0, true},
                   {"RUNS", 0, false, true},
                   {"FAILED", 0, false, true},
                   {"TIME p50", 0, false, true},
                   {"TIME p90", 5, false, true},
                   {"WAIT p50", 3, false, true},
                   {"WAIT p90", 6, false, true},
                   {"MEM p50", 2, false, true},
                   {"MEM p90", 4, false, true},
                   {"MEM max", 7, false, true},
                   {"PROCS", 1, false, true}}};
  for (std::size_t i = 0; i < std::min(top, all.kinds.size()); ++i) {
    const journal::KindStatistics& kind = all.kinds[i];
    columns.add({kind.kind, std::to_string(kind.runs), std::to_string(kind.failed),
                 span_words(kind.duration_ms.p50), span_words(kind.duration_ms.p90),
                 span_words(kind.waited_ms.p50), span_words(kind.waited_ms.p90),
                 megabytes(kind.peak_tree_kb.p50), megabytes(kind.peak_tree_kb.p90),
                 megabytes(kind.peak_tree_kb.max), std::to_string(kind.peak_processes.max)});
  }
  const std::string text = columns.text(width);
  const std::size_t head = text.find('\n');
  return "\n" + paint.bold(text.substr(0, head)) + text.substr(head) +
         more_words(all.kinds.size(), top);
}

std::string ends(const journal::Statistics& all, const Paint& paint, std::size_t top) {
  if (all.ends.empty()) {
    return "";
  }
  return "\n" + paint.bold("did not exit by themselves") + "\n" +
         rows_of(all.ends, top, [](const journal::EndStatistics& end) {
           return fmt::format("{:>6}  {:<18}{}  (last {}, run {})\n", end.count,
                              journal::word_of(end.reason), end.kind, date_of(end.last_wall_ms),
                              end.last_id);
         });
}

std::string spikes(const journal::Statistics& all, const Paint& paint, std::size_t top) {
  if (all.spikes.empty()) {
    return "";
  }
  return "\n" + paint.bold("memory far over the usual") + "\n" +
         rows_of(all.spikes, top, [](const journal::Spike& spike) {
           return "  " + date_of(spike.started_wall_ms) + "  " +
                  right(megabytes(spike.peak_kb), 9) + " instead of " +
                  right(megabytes(spike.usual_kb), 9) + "  " + spike.kind + "  (run " + spike.id +
                  ")\n";
         });
}

/// Worth a line: changed by a fifth and by 32 MiB.
bool has_changed(const journal::KindStatistics& kind) {
  if (!kind.growth) {
    return false;
  }
  const auto [less, more] = std::minmax(kind.growth->first_kb, kind.growth->last_kb);
  return more - less >= less / 5 && more - less >= 32 * 1024;
}

std::string growth(const journal::Statistics& all, const Paint& paint, std::size_t top) {
  std::vector<journal::KindStatistics> changed;
  std::ranges::copy_if(all.kinds, std::back_inserter(changed), has_changed);
  if (changed.empty()) {
    return "";
  }
  return "\n" + paint.bold("memory, first and last quarter of the runs") + "\n" +
         rows_of(changed, top, [](const journal::KindStatistics& kind) {
           return right(megabytes(kind.growth->first_kb), 11) + "  to " +
                  right(megabytes(kind.growth->last_kb), 9) + "  " + kind.kind + "\n";
         });
}

/// Leaves out hours without a run.
std::string hours(const journal::Statistics& all, const Paint& paint) {
  constexpr std::int64_t kWidest = 40;
  const std::int64_t most =
      std::ranges::max(all.hours, {}, &journal::HourStatistics::waited_ms).waited_ms;
  if (most == 0) {
    return "";
  }
  std::string text = "\n" + paint.bold("waiting by the hour in which it began") + "\n";
  for (std::size_t hour = 0; hour < all.hours.size(); ++hour) {
    const journal::HourStatistics& one = all.hours.at(hour);
    if (one.runs != 0) {
      // A fraction, since the product may overflow.
      const auto width = static_cast<std::size_t>(
          static_cast<double>(one.waited_ms) / static_cast<double>(most) * kWidest + 0.5);
      text += fmt::format("  {:02}  {:<{}}{} in {}\n", hour, std::string(width, '#'), kWidest + 2,
                          span_words(one.waited_ms), counted(one.waits, "wait", "waits"));
    }
  }
  return text;
}

std::string pairs(const journal::Statistics& all, const Paint& paint, std::size_t top) {
  if (all.pairs.empty()) {
    return "";
  }
  return "\n" + paint.bold("who waits for whom") + "\n" +
         rows_of(all.pairs, top, [](const journal::WaitPair& pair) {
           return right(span_words(pair.waited_ms), 9) + fmt::format("{:>7}x  ", pair.times) +
                  left(pair.waiter, 26) + "for  " + pair.holder + "\n";
         });
}

std::string advice(const journal::Statistics& all, const Paint& paint) {
  if (all.advice.empty()) {
    return "";
  }
  std::string text = "\n" + paint.bold("limits that would fit") + "\n";
  for (const journal::LimitAdvice& one : all.advice) {
    text += fmt::format("  {}={} would have let {} of {} pass (largest: {})\n", one.setting,
                        one.value, one.passed, counted(one.runs, "run", "runs"), one.kind);
  }
  return text;
}

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

std::string stats_text(const journal::Statistics& statistics, const Paint& paint, std::size_t top,
                       std::size_t width) {
  if (statistics.runs == 0) {
    return "no runs\n";
  }
  constexpr std::size_t kIndent = 9;  // as in the lines of the summary
  return wrapped(summary(statistics, paint), width, kIndent) +
         kinds_table(statistics, paint, top, width) +
         wrapped(ends(statistics, paint, top) + spikes(statistics, paint, top) +
                     growth(statistics, paint, top) + hours(statistics, paint) +
                     pairs(statistics, paint, top) + advice(statistics, paint),
                 width, kIndent);
}

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
