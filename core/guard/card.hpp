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
  std::string limit_place;  ///< Where it was set.
  std::string limit_key;    ///< How it is written there.
  struct Process {
    sys::ProcessId id;
    pid_t parent = 0;
    std::uint64_t bytes = 0;
    std::string command;  ///< Cleaned for a terminal.
  };
  std::vector<Process> tree;  ///< Parents before children, at most kMostShown, the largest.
  std::size_t count = 0;      ///< Of all processes.
  std::uint64_t bytes = 0;    ///< Of all of them.
  std::vector<std::uint64_t> curve;
  std::chrono::milliseconds curve_step{50};

  static constexpr std::size_t kMostShown = 40;
};

/// Reads the command lines of the largest processes of `sample`, while they live.
[[nodiscard]] Card make_card(const Limits& limits, const Breach& breach, const Sample& sample,
                             const Curve& curve);

/// What happened, who used most, and which line would change it: for standard error.
[[nodiscard]] std::array<std::string, 3> lines_of(const Card& card);

/// The tree, a line a process, for the run's log.
[[nodiscard]] std::vector<std::string> tree_lines_of(const Card& card);

/// The whole card as a JSON object in one line, for the journal.
[[nodiscard]] std::string json_of(const Card& card);

/// Reads what json_of wrote; `run` and the start times of processes are not in it. Empty for
/// any other text. The content is not trusted: clean it for a terminal.
[[nodiscard]] std::optional<Card> card_of(const std::string& json);

/// "node (pid 7) uses 1100 MB of 2048 MB (MEMORY_LIMIT_MB); at 120 MB/s the limit in 8.0 s"
[[nodiscard]] std::string line_of(const Warning& warning);

/// Numbers as a row of bars from 0 to their largest; in ASCII where `unicode` is false.
[[nodiscard]] std::string sparkline(const std::vector<std::uint64_t>& numbers, bool unicode);

/// True when LC_ALL, LC_CTYPE or LANG ask for UTF-8.
[[nodiscard]] bool locale_is_utf8() noexcept;

}  // namespace onelane::guard
