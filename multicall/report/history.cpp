#include "multicall/report/history.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/guard/limits.hpp"
#include "core/journal/journal.hpp"
#include "core/journal/plausible.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/text.hpp"

namespace onelane::multicall {

using journal::Reason;
using journal::Record;

namespace {

void make_plausible(Record& record) noexcept {
  for (auto* wall : {&record.queued_wall_ms, &record.started_wall_ms, &record.ended_wall_ms}) {
    *wall = journal::plausible(*wall, journal::kLatestMs);
  }
  for (auto* span : {&record.waited_ms, &record.duration_ms}) {
    *span = journal::plausible(*span, journal::kLongestMs);
  }
  record.peak_tree_kb = std::min(record.peak_tree_kb, std::uint64_t{journal::kMostKb});
}

void add(Figures& figures, const Record& record) {
  ++figures.runs;
  if (record.waited_ms >= Figures::kWaitedMs) {
    ++figures.waited;
    figures.waited_ms += record.waited_ms;
    figures.longest_wait_ms = std::max(figures.longest_wait_ms, record.waited_ms);
  }
  const Outcome outcome = outcome_of(record);
  figures.failed += outcome == Outcome::Failed ? 1 : 0;
  figures.ended += outcome == Outcome::Ended ? 1 : 0;
  figures.stopped += outcome == Outcome::Stopped ? 1 : 0;
  figures.crashed += outcome == Outcome::Crashed ? 1 : 0;
  figures.not_started += outcome == Outcome::NotStarted ? 1 : 0;
  figures.duration_ms += std::max<std::int64_t>(0, record.duration_ms);
  if (record.peak_tree_kb > figures.largest_kb) {
    figures.largest_kb = record.peak_tree_kb;
    figures.largest_id = record.id;
  }
  const std::int64_t start = start_of(record);
  figures.first_wall_ms =
      figures.first_wall_ms == 0 ? start : std::min(figures.first_wall_ms, start);
  figures.last_wall_ms = std::max(figures.last_wall_ms, end_of(record));
}

}  // namespace

Outcome outcome_of(const Record& record) noexcept {
  switch (record.reason) {
    case Reason::Exited:
      return record.code.value_or(0) == 0 ? Outcome::Passed : Outcome::Failed;
    case Reason::Signalled:
      return Outcome::Failed;
    case Reason::NotStarted:
      return Outcome::NotStarted;
    case Reason::Stopped:
      return Outcome::Stopped;
    case Reason::Crashed:
      return Outcome::Crashed;
    default:
      return Outcome::Ended;
  }
}

std::string_view word_of(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::Passed:
      return "passed";
    case Outcome::Failed:
      return "failed";
    case Outcome::Ended:
      return "ended";
    case Outcome::Stopped:
      return "stopped";
    case Outcome::Crashed:
      return "crashed";
    case Outcome::NotStarted:
      return "not-started";
  }
  return "";
}

std::string phrase_of(const Record& record) {
  switch (record.reason) {
    case Reason::Exited:
      return record.code.value_or(0) == 0 ? "passed" : fmt::format("exit {}", *record.code);
    case Reason::Signalled:
      return fmt::format("signal {}", record.signal);
    case Reason::NotStarted:
      return "not started";
    case Reason::Stopped:
      return "stopped";
    case Reason::Crashed:
      return "onelane was killed";
    default:
      break;
  }
  const guard::LimitRow* limit = guard::row_of(record.reason);
  return limit == nullptr ? std::string{} : std::string{limit->kind};
}

std::int64_t start_of(const Record& record) noexcept {
  const std::int64_t known = record.started_wall_ms != 0 ? record.started_wall_ms
                             : record.queued_wall_ms != 0
                                 ? record.queued_wall_ms + record.waited_ms
                                 : record.ended_wall_ms - record.duration_ms;
  return std::max<std::int64_t>(0, known);
}

std::int64_t end_of(const Record& record) noexcept {
  const std::int64_t start = start_of(record);
  if (record.duration_ms > 0) {
    return start + record.duration_ms;
  }
  return record.reason == Reason::Crashed ? std::max(start, record.ended_wall_ms) : start;
}

std::string command_of(const Record& record, std::size_t limit) {
  const std::string text = journal::command_text(record, limit);
  return text.empty() ? sys::printable(record.tool, limit) : text;
}

Figures figures_of(std::span<const Record> runs) {
  Figures figures;
  for (const Record& record : runs) {
    add(figures, record);
  }
  return figures;
}

void read_runs(History& history) {
  const std::string journal = history.lane + "/" + journal::kJournalName;
  if (::access(journal.c_str(), R_OK) != 0 && errno == EACCES) {
    sys::throw_errno("read", journal);
  }
  journal::LineReader reader;
  Record run;
  const auto add_line = [&](std::string_view line) {
    if (!reader.read(line, run) || !is_run(run)) {
      return true;
    }
    make_plausible(run);
    if (std::max(run.ended_wall_ms, end_of(run)) < history.since_wall_ms) {
      return true;
    }
    add(history.figures, run);
    if (history.runs.size() < History::kMostRuns) {
      history.runs.push_back(run);
    } else {
      history.older.add(run);
    }
    return true;
  };
  journal::for_each_since(history.lane, history.since_wall_ms, journal::Order::NewestFirst,
                          add_line);
  std::ranges::stable_sort(history.runs, {}, &start_of);
}

History history_of(const LanesHere& lanes, std::int64_t since_wall_ms) {
  History history;
  history.now_wall_ms = sys::wall_milliseconds();
  history.project = lanes.project.root;
  history.name = lanes.project.name;
  history.lane = lanes.project.state_dir;
  history.since_wall_ms = since_wall_ms;
  read_runs(history);
  return history;
}

}  // namespace onelane::multicall
