#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/report/hours.hpp"

namespace onelane::multicall {

/// How a run ended, as far as a report distinguishes it.
enum class Outcome : std::uint8_t {
  Passed,      ///< Exit status 0.
  Failed,      ///< Another exit status, or death by a signal that was not ours.
  Ended,       ///< By us, at a limit.
  Stopped,     ///< By us, because a user asked.
  Crashed,     ///< Its supervisor died; the end of the tool is not known.
  NotStarted,  ///< The tool could not be executed, or the ticket was given up.
};

[[nodiscard]] Outcome outcome_of(const journal::Record& record) noexcept;

/// "passed", "failed", "ended", "stopped", "crashed", "not-started": stable words.
[[nodiscard]] std::string_view word_of(Outcome outcome) noexcept;

/// What happened for people: "exit 2", "signal 15", "memory limit", "not started".
[[nodiscard]] std::string phrase_of(const journal::Record& record);

/// When a run started and ended, in milliseconds since the epoch. A crashed run has no duration,
/// and one that did not start has no start: the other end stands in for it.
[[nodiscard]] std::int64_t start_of(const journal::Record& record) noexcept;
[[nodiscard]] std::int64_t end_of(const journal::Record& record) noexcept;

/// The command as it was called, words joined by a blank, fit for a terminal.
[[nodiscard]] std::string command_of(const journal::Record& record, std::size_t limit);

/// The few numbers that head a report.
struct Figures {
  static constexpr std::int64_t kWaitedMs = 100;  ///< A shorter wait does not count.

  std::uint64_t runs = 0;
  std::uint64_t waited = 0;  ///< Runs that waited for kWaitedMs or longer.
  std::int64_t waited_ms = 0;
  std::int64_t longest_wait_ms = 0;
  std::uint64_t failed = 0;
  std::uint64_t ended = 0;
  std::uint64_t stopped = 0;
  std::uint64_t crashed = 0;
  std::uint64_t not_started = 0;
  std::int64_t duration_ms = 0;
  std::uint64_t largest_kb = 0;  ///< The most memory that one run used, all its processes together.
  std::string largest_id;        ///< That run.
  std::int64_t first_wall_ms = 0;
  std::int64_t last_wall_ms = 0;
};

[[nodiscard]] Figures figures_of(std::span<const journal::Record> runs);

/// What a report is about.
struct History {
  static constexpr std::size_t kMostRuns = 10'000;

  std::string project;                ///< Its root, a path.
  std::string name;                   ///< Of the project.
  std::string lane;                   ///< State directory of the lane, a path.
  std::int64_t now_wall_ms = 0;       ///< When it was read.
  std::int64_t since_wall_ms = 0;     ///< Runs that ended before it are left out; 0: none are.
  Figures figures;                    ///< Of all runs since then.
  std::vector<journal::Record> runs;  ///< The newest kMostRuns of them, oldest first.
  HourSums older;                     ///< Those that are not in `runs`.
};

/// Fills figures and runs from the lane's journal, with numbers clamped to a plausible range. Takes
/// no lock; a missing journal counts as empty. Blocks to read. Throws SystemError when the journal
/// belongs to another user and is not readable.
void read_runs(History& history);

/// The history of a project's lane since then, read as by read_runs().
[[nodiscard]] History history_of(const LanesHere& lanes, std::int64_t since_wall_ms);

}  // namespace onelane::multicall
