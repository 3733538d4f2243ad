#pragma once

#include <chrono>

#include "core/journal/record.hpp"
#include "core/process/supervisor.hpp"
#include "multicall/shim/plan.hpp"
#include "multicall/shim/turn.hpp"
#include "multicall/shim/watch.hpp"

namespace onelane::multicall {

/// What a run's journal line says about times; both clocks, since wall clocks jump.
struct Times {
  /// Queued now, and not started.
  [[nodiscard]] static Times queued_now() noexcept;

  std::int64_t queued_wall_ms = 0;
  std::int64_t started_wall_ms = 0;
  std::chrono::nanoseconds queued{};
  std::chrono::nanoseconds started{};
};

/// Everything that is known about a run before it has ended.
[[nodiscard]] journal::Record record_of(const Plan& plan, const Turn& turn, const Times& times);

/// Adds that it ended now.
void add_end(journal::Record& record, const Times& times);

/// Adds what lives on.
void add_kept(journal::Record& record, const std::vector<process::KeptProcess>& kept);

/// Adds how it ended.
void add_outcome(journal::Record& record, const process::Outcome& outcome, const Watch& watch,
                 const Times& times);

/// Appends it to the journal of the place; lost where that cannot be written.
void append_record(const LanePlace& place, const journal::Record& record) noexcept;

/// In the guardian: the supervisor is gone. Frees the run's control group, and appends `record`
/// with an end and what it keeps.
void append_crash(const LanePlace& place, journal::Record record, const Times& times,
                  const std::vector<process::KeptProcess>& kept);

}  // namespace onelane::multicall
