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

/// A process that carries the id of a run that has ended, as people and programs are shown it.
struct OrphanRow {
  sys::ProcessId id;
  std::chrono::nanoseconds age{};
  std::uint64_t memory_kb = 0;  ///< Resident without shared pages.
  std::string run_id;
  std::string run_command;  ///< Empty where nobody knows it any more.
  std::string command;
  /// Of a kept one: "recorded", or word_of() it; of an orphan that no straggler is: "loose".
  std::string_view why;
};

struct OrphanRows {
  std::vector<OrphanRow> orphans;
  std::vector<OrphanRow> kept;  ///< Left running on purpose.
};

/// What a leftover is, for programs: "terminal", "listed", "detached", "background", "loose",
/// "straggler".
[[nodiscard]] std::string_view word_of(process::Leftover leftover) noexcept;

/// What a scan has found, and whom `lanes` (may be null) have written down as kept. Sessions with
/// a terminal of their own (somebody's tmux) are neither. Reads /proc for each row.
[[nodiscard]] OrphanRows orphan_rows(const process::OrphanScan& scan, const LanesHere* lanes,
                                     const RunBook& book);

[[nodiscard]] nlohmann::json json_of(const std::vector<OrphanRow>& rows);

}  // namespace onelane::multicall
