#pragma once

#include <chrono>

#include "core/journal/record.hpp"
#include "core/process/supervisor.hpp"
#include "multicall/shim/plan.hpp"
#include "multicall/shim/turn.hpp"
#include "multicall/shim/watch.hpp"

namespace onelane::multicall {

/// The times in a run's line of the journal, by both clocks, since the wall clock may jump.
struct Times {
  /// Times of a call that is queued now and has not started.
  [[nodiscard]] static Times queued_now() noexcept;

  std::int64_t queued_wall_ms = 0;
  std::int64_t started_wall_ms = 0;
  std::chrono::nanoseconds queued{};
  std::chrono::nanoseconds started{};
};

/// A record with everything that is known about a run before it ends.
[[nodiscard]] journal::Record record_of(const Plan& plan, const Turn& turn, const Times& times);

/// Sets the end of the run to now.
void add_end(journal::Record& record, const Times& times);

/// Adds the processes that live on.
void add_kept(journal::Record& record, const std::vector<process::KeptProcess>& kept);

/// Adds how the run ended, with now as its end.
void add_outcome(journal::Record& record, const process::Outcome& outcome, const Watch& watch,
                 const Times& times);

/// Appends the record to the journal of the place; errors are ignored.
void append_record(const LanePlace& place, const journal::Record& record) noexcept;

/// For the guardian after the supervisor was killed: releases the run's control group, and appends
/// `record` as crashed, with now as its end and with what it keeps.
void append_crash(const LanePlace& place, journal::Record record, const Times& times,
                  const std::vector<process::KeptProcess>& kept);

}  // namespace onelane::multicall
