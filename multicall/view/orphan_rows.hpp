#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/orphans.hpp"
#include "multicall/context/orphan_rules.hpp"

namespace onelane::multicall {

/// A process that carries the id of an ended run, as shown to people and programs.
struct OrphanRow {
  sys::ProcessId id;
  std::chrono::nanoseconds age{};
  std::uint64_t memory_kb = 0;  ///< Resident memory without shared pages.
  std::string run_id;
  std::string run_command;  ///< Empty if it is no longer known.
  std::string command;
  /// For a kept process: "recorded", or its word_of(); for an orphan that is no straggler: "loose".
  std::string_view why;
};

struct OrphanRows {
  std::vector<OrphanRow> orphans;
  std::vector<OrphanRow> kept;  ///< Left running on purpose.
};

/// The kind of a leftover, for programs: "terminal", "listed", "detached", "background", "loose",
/// "straggler".
[[nodiscard]] std::string_view word_of(process::Leftover leftover) noexcept;

/// What a scan found, and the processes that `lanes` (may be null) recorded as kept. Sessions with
/// a terminal of their own (a user's tmux) count as neither. Reads /proc for each row.
[[nodiscard]] OrphanRows orphan_rows(const process::OrphanScan& scan, const LanesHere* lanes,
                                     const RunBook& book);

[[nodiscard]] nlohmann::json json_of(const std::vector<OrphanRow>& rows);

}  // namespace onelane::multicall
