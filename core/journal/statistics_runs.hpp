#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/journal/statistics.hpp"

namespace onelane::journal {

/// One run as the statistics keep it; every number is in a range in which sums of all runs fit.
struct Run {
  std::array<char, 12> id{};  ///< NUL-terminated; "?" for what is no run id.
  Reason reason = Reason::Exited;
  bool has_failed = false;  ///< Exited by itself, with another code than 0.
  bool is_service = false;  ///< Takes no lane.
  bool is_limited = false;  ///< Limits of time apply.
  bool counts = false;      ///< Else it is only what others waited for.
  std::uint32_t kind = 0;   ///< Index into the kinds.
  std::uint32_t lane = 0;   ///< Equal for runs of one lane.
  std::int64_t queued = 0;  ///< ms since the epoch, as the others: waited before `started`.
  std::int64_t started = 0;
  std::int64_t waited = 0;
  std::int64_t duration = 0;
  std::int64_t held = 0;  ///< The part of it with the lane.
  std::int64_t tree_kb = 0;
  std::int64_t process_kb = 0;
  std::int64_t processes = 0;
  std::int64_t cpu_ms = 0;

  [[nodiscard]] bool has_started() const noexcept { return reason != Reason::NotStarted; }
  [[nodiscard]] bool was_measured() const noexcept { return has_started() && tree_kb > 0; }
  [[nodiscard]] bool was_ended() const noexcept { return sys::is_by_onelane(reason); }
  [[nodiscard]] bool has_exited() const noexcept { return reason == Reason::Exited; }
};

struct Kind {
  std::string name;
  std::string tool;
};

using Runs = std::deque<Run>;  ///< Never moved: there are many.
using RunPointers = std::vector<const Run*>;

/// Kinds, ends, spikes and advice. `counted` is in the order in which runs were asked for.
void add_kinds(Statistics& out, const RunPointers& counted, const std::vector<Kind>& kinds);
void add_advice(Statistics& out, const RunPointers& counted, const std::vector<Kind>& kinds);

/// Who waits for whom, and what the lane has kept apart. `runs` are all of them.
void add_pairs(Statistics& out, const Runs& runs, const std::vector<Kind>& kinds);
void add_overlap(Statistics& out, const RunPointers& counted);

}  // namespace onelane::journal
