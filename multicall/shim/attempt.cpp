#include "multicall/shim/attempt.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>

#include "multicall/context/keep.hpp"
#include "multicall/context/lane_call.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

int rank_of(int wait_status, int nothing_code) noexcept {
  if (nothing_code != 0 && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == nothing_code) {
    return -1;
  }
  return WIFSIGNALED(wait_status) ? 256 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool is_over_its_time(const Watch& watch) {
  if (!watch.exit_code() || watch.was_stopped()) {
    return false;
  }
  const guard::Cause cause = watch.guard()->breach()->cause;
  return cause == guard::Cause::Timeout || cause == guard::Cause::Idle;
}

}  // namespace

bool waits_for_all(const Plan& plan) {
  return plan.wait_for_all || plan.settings.wait.value == settings::WaitFor::All;
}

process::Run run_of(const Plan& plan, const process::RunTraits& traits) {
  process::Run run;
  run.traits = traits;
  run.name = words(*plan.call, 60);
  run.keep = keep_list_of(plan.settings);
  run.linger = plan.settings.linger.value;
  run.kill_timeout = plan.settings.kill_timeout.value;
  run.kill_signal = plan.kill_signal;
  run.check_interval = plan.settings.check_interval.value;
  run.wait_for_all = waits_for_all(plan);
  if (!plan.lane_dir.empty()) {
    run.is_lane_call = lane_call_test(plan.lane_dir);
  }
  return run;
}

process::Outcome with_part(process::Outcome whole, const process::Outcome& part, int nothing_code) {
  const bool is_worse = whole.tool == 0 || rank_of(part.wait_status, nothing_code) >=
                                               rank_of(whole.wait_status, nothing_code);
  if (part.launch_error == 0 && is_worse) {
    whole.wait_status = part.wait_status;
    whole.tool = part.tool;
  }
  whole.launch_error = part.launch_error;
  whole.kept.insert(whole.kept.end(), part.kept.begin(), part.kept.end());
  whole.survivors.insert(whole.survivors.end(), part.survivors.begin(), part.survivors.end());
  whole.ended_by_order = whole.ended_by_order || part.ended_by_order;
  whole.ending_signal = part.ending_signal != 0 ? part.ending_signal : whole.ending_signal;
  whole.ended_leftovers += part.ended_leftovers;
  whole.usage.cpu_ms += part.usage.cpu_ms;
  whole.usage.largest_kb = std::max(whole.usage.largest_kb, part.usage.largest_kb);
  whole.usage.blocks_in += part.usage.blocks_in;
  whole.usage.blocks_out += part.usage.blocks_out;
  return whole;
}

void use_command(std::vector<std::string>& command, std::vector<char*>& argv) {
  argv.resize(1);
  std::ranges::transform(command.begin() + 1, command.end(), std::back_inserter(argv),
                         [](std::string& word) { return word.data(); });
  argv.push_back(nullptr);
}

bool ended_by_itself(const process::Outcome& outcome) noexcept {
  return outcome.launch_error == 0 && !outcome.ended_by_order && outcome.ending_signal == 0;
}

bool may_retry(const process::Outcome& outcome, const Watch& watch) {
  const int status = outcome.wait_status;
  const bool has_no_reader = WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE;
  if (outcome.launch_error != 0 || outcome.ending_signal != 0 || has_no_reader ||
      !outcome.survivors.empty()) {
    return false;
  }
  return outcome.ended_by_order ? is_over_its_time(watch) : !watch.exit_code() && status != 0;
}

bool has_time_for_retry(const Plan& plan, std::chrono::nanoseconds age) {
  const auto limit = plan.settings.pipeline_timeout.value;
  return limit.count() == 0 || age + plan.retry_delay < limit;
}

void add_kept(std::vector<lane::Kept>& records, const std::vector<process::KeptProcess>& kept,
              const std::string& run_id) {
  for (const process::KeptProcess& process : kept) {
    if (std::ranges::any_of(records, [&](const lane::Kept& known) {
          return known.pid == process.id.pid && known.start == process.id.start;
        })) {
      continue;  // of an earlier command of the run, found again by a guardian
    }
    lane::Kept record;
    record.pid = process.id.pid;
    record.start = process.id.start;
    record.boot = static_cast<std::uint32_t>(sys::boot_id());
    lane::set_text(record.run_id, run_id);
    lane::set_text(record.name, process.command);
    record.is_background = process.is_background ? 1 : 0;
    records.push_back(record);
  }
}

std::string retry_words(const process::Outcome& outcome, const Watch& watch, const Plan& plan,
                        unsigned attempt) {
  const int status = outcome.wait_status;
  const std::string how = watch.exit_code()     ? "over its time"
                          : WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                                : "exit " + std::to_string(WEXITSTATUS(status));
  return words(*plan.call, 60) + ": attempt " + std::to_string(attempt) + " of " +
         std::to_string(plan.retries + 1) + ": " + how + "; again " +
         (plan.retry_delay.count() == 0 ? "now" : "in " + duration_words(plan.retry_delay));
}

}  // namespace onelane::multicall
