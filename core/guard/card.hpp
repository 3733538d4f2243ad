#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/guard/guard.hpp"

namespace onelane::guard {

/// Why a run was ended, for the person who has to act on it.
struct Card {
  std::string run;  ///< "make test"
  std::string run_id;
  Breach breach;
  std::string limit_name;   ///< "MEMORY_LIMIT_MB"
  std::string limit_place;  ///< Where the limit was set.
  std::string limit_key;    ///< Its name there.
  struct Process {
    sys::ProcessId id;
    pid_t parent = 0;
    std::uint64_t bytes = 0;
    std::string command;  ///< Cleaned for a terminal.
  };
  std::vector<Process> tree;  ///< The largest, at most kMostShown; parents before children.
  std::size_t count = 0;      ///< Number of processes in the run.
  std::uint64_t bytes = 0;    ///< Memory of all of them together.
  std::vector<std::uint64_t> curve;
  std::chrono::milliseconds curve_step{50};

  static constexpr std::size_t kMostShown = 40;
};

/// Reads the command lines of the largest processes of `sample`; those that have ended have none.
[[nodiscard]] Card make_card(const Limits& limits, const Breach& breach, const Sample& sample,
                             const Curve& curve);

/// What happened, what used most, and which line would change it: for standard error.
[[nodiscard]] std::array<std::string, 3> lines_of(const Card& card);

/// The process tree for the run's log, one process per line.
[[nodiscard]] std::vector<std::string> tree_lines_of(const Card& card);

/// The whole card as one line of JSON, for the journal.
[[nodiscard]] std::string json_of(const Card& card);

/// Reads what json_of wrote, except `run` and the start times of processes, which it omits. Empty
/// for any other text. The content is not trusted: clean it before it reaches a terminal.
[[nodiscard]] std::optional<Card> card_of(const std::string& json);

/// "node (pid 7) uses 1100 MB of 2048 MB (MEMORY_LIMIT_MB); at 120 MB/s the limit in 8.0 s"
[[nodiscard]] std::string line_of(const Warning& warning);

/// Numbers as a row of bars, scaled from 0 to the largest; ASCII unless `unicode`.
[[nodiscard]] std::string sparkline(const std::vector<std::uint64_t>& numbers, bool unicode);

/// True when LC_ALL, LC_CTYPE or LANG ask for UTF-8.
[[nodiscard]] bool locale_is_utf8() noexcept;

}  // namespace onelane::guard
