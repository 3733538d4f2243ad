#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <span>

#include "multicall/term/columns.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/overview.hpp"
#include "multicall/view/stats_view.hpp"

namespace onelane::multicall {
namespace {

using journal::Reason;

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

std::string counted(std::uint64_t number, std::string_view one) {
  return std::to_string(number) + " " + std::string{one} + (number == 1 ? "" : "s");
}

std::string more_words(std::size_t size, std::size_t top) {
  return size > top ? "  and " + std::to_string(size - top) + " more (--top)\n" : "";
}

/// The first `top` of a list, and a line that says how many more there are.
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
  std::string text = paint.bold("runs") + "     " + std::to_string(all.runs) + " from " +
                     date_of(all.first_wall_ms) + " to " + date_of(all.last_wall_ms) + "\n";
  text += "         " + std::to_string(by(Reason::Exited) - all.failed) + " exited with 0, " +
          std::to_string(all.failed) + " with an error, " + std::to_string(ended) +
          " ended by onelane, " + std::to_string(by(Reason::Signalled)) + " by a signal";
  for (const auto& [reason, words] : {std::pair{Reason::Crashed, " crashed"},
                                      std::pair{Reason::NotStarted, " could not be started"}}) {
    text += by(reason) == 0 ? "" : ", " + std::to_string(by(reason)) + words;
  }
  text += "\n";
  text += paint.bold("waiting") + "  " + counted(all.waits, "run") + " waited: p50 " +
          span_words(all.waited_ms.p50) + ", p90 " + span_words(all.waited_ms.p90) +
          " (of all runs), longest " + span_words(all.waited_ms.max) + ", together " +
          span_words(all.waited_ms.total) + "\n";
  const journal::Overlap& overlap = all.overlap;
  if (overlap.most_runs >= 2) {
    text += paint.bold("avoided") + "  " + span_words(overlap.avoided_ms) +
            " of two or more runs at once; up to " + std::to_string(overlap.most_runs) +
            " at once, with " + megabytes(overlap.most_kb) + "\n";
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
           return right(std::to_string(end.count), 6) + "  " +
                  left(std::string{journal::word_of(end.reason)}, 18) + end.kind + "  (last " +
                  date_of(end.last_wall_ms) + ", run " + end.last_id + ")\n";
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

/// Worth a line: a fifth and 32 MiB away from what it was.
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

/// Hours without any run in them are left out.
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
      // As a fraction: a product may not fit.
      const auto width = static_cast<std::size_t>(
          static_cast<double>(one.waited_ms) / static_cast<double>(most) * kWidest + 0.5);
      text += "  " + std::string(hour < 10 ? "0" : "") + std::to_string(hour) + "  " +
              left(std::string(width, '#'), kWidest + 2) + span_words(one.waited_ms) + " in " +
              counted(one.waits, "wait") + "\n";
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
           return right(span_words(pair.waited_ms), 9) + right(std::to_string(pair.times), 7) +
                  "x  " + left(pair.waiter, 26) + "for  " + pair.holder + "\n";
         });
}

std::string advice(const journal::Statistics& all, const Paint& paint) {
  if (all.advice.empty()) {
    return "";
  }
  std::string text = "\n" + paint.bold("limits that would fit") + "\n";
  for (const journal::LimitAdvice& one : all.advice) {
    text += "  " + one.setting + "=" + std::to_string(one.value) + " would have let " +
            std::to_string(one.passed) + " of " + counted(one.runs, "run") +
            " pass (largest: " + one.kind + ")\n";
  }
  return text;
}

}  // namespace

std::string stats_text(const journal::Statistics& statistics, const Paint& paint, std::size_t top,
                       std::size_t width) {
  if (statistics.runs == 0) {
    return "no runs\n";
  }
  constexpr std::size_t kIndent = 9;  // as the lines of the summary
  return wrapped(summary(statistics, paint), width, kIndent) +
         kinds_table(statistics, paint, top, width) +
         wrapped(ends(statistics, paint, top) + spikes(statistics, paint, top) +
                     growth(statistics, paint, top) + hours(statistics, paint) +
                     pairs(statistics, paint, top) + advice(statistics, paint),
                 width, kIndent);
}

}  // namespace onelane::multicall
