#pragma once

#include <string>
#include <vector>

#include "core/lane/record.hpp"
#include "core/process/supervisor.hpp"
#include "multicall/shim/run.hpp"
#include "multicall/shim/watch.hpp"

namespace onelane::multicall {

/// True when every descendant of the tool is waited for, not the tool alone.
[[nodiscard]] bool waits_for_all(const Plan& plan);

/// What the plan and its caller alone say of a run.
[[nodiscard]] process::Run run_of(const Plan& plan, const process::RunTraits& traits);

/// Adds how one command ended to what is known of those before it. A launch that failed and a
/// death by signal are worse than any code, a higher code is worse than a lower one; the code for
/// "nothing to do" (0: there is none) is better than any.
[[nodiscard]] process::Outcome with_part(process::Outcome whole, const process::Outcome& part,
                                         int nothing_code = 0);

/// Puts the words of `command` behind argv[0]; they are borrowed.
void use_command(std::vector<std::string>& command, std::vector<char*>& argv);

/// True when nobody but the command itself has ended it: the next one may run.
[[nodiscard]] bool ended_by_itself(const process::Outcome& outcome) noexcept;

/// True when an attempt that ended so is worth another one: non-zero, a signal of its own, or a
/// limit of time that counts for one attempt.
[[nodiscard]] bool may_retry(const process::Outcome& outcome, const Watch& watch);

/// True when PIPELINE_TIMEOUT leaves a moment for another attempt of a run as old as that.
[[nodiscard]] bool has_time_for_retry(const Plan& plan, std::chrono::nanoseconds age);

/// Adds what the run `run_id` left running on purpose, as the lane writes it down.
void add_kept(std::vector<lane::Kept>& records, const std::vector<process::KeptProcess>& kept,
              const std::string& run_id);

/// "attempt 1 of 3: exit 2; again in 5s".
[[nodiscard]] std::string retry_words(const process::Outcome& outcome, const Watch& watch,
                                      const Plan& plan, unsigned attempt);

}  // namespace onelane::multicall
