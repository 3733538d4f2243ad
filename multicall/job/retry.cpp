#include "multicall/job/retry.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <iterator>

#include "core/sys/clock.hpp"
#include "multicall/shim/pause.hpp"
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
  const sys::Reason reason = watch.guard()->breach()->reason;
  return reason == sys::Reason::Timeout || reason == sys::Reason::Idle;
}

/// True if no order and no signal ended the command: then the next one may run.
bool ended_by_itself(const process::Outcome& outcome) noexcept {
  return outcome.launch_error == 0 && !outcome.ended_by_order && outcome.ending_signal == 0;
}

/// True if another attempt is worthwhile: after a non-zero code, a signal of the tool's own making,
/// or a limit of time that counts for one attempt.
bool may_retry(const process::Outcome& outcome, const Watch& watch) {
  const int status = outcome.wait_status;
  const bool has_no_reader = WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE;
  if (outcome.launch_error != 0 || outcome.ending_signal != 0 || has_no_reader ||
      !outcome.survivors.empty()) {
    return false;
  }
  return outcome.ended_by_order ? is_over_its_time(watch) : !watch.exit_code() && status != 0;
}

}  // namespace

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

void Retry::set_command(std::vector<char*>& argv) {
  if (commands_.empty()) {
    return;
  }
  std::vector<std::string>& command = commands_[part_];
  argv.resize(1);
  std::ranges::transform(command.begin() + 1, command.end(), std::back_inserter(argv),
                         [](std::string& word) { return word.data(); });
  argv.push_back(nullptr);
}

Next Retry::next(const process::Outcome& part, Attempt& attempt) const {
  if (part_ + 1 < commands_.size() && ended_by_itself(part)) {
    return Next::Part;
  }
  const auto limit = plan_.settings.pipeline_timeout.value;
  const auto age = sys::monotonic_time() - began_;
  const bool has_time = limit.count() == 0 || age + options_.delay < limit;
  const bool has_another = attempt_ <= options_.retries && has_time;
  return has_another && may_retry(attempt.whole(), attempt.watch()) ? Next::Attempt : Next::Nothing;
}

int Retry::pause_before(Next next, const process::Signals& signals, Attempt& attempt) {
  if (next == Next::Part) {
    ++part_;
    return pause(signals, std::chrono::milliseconds{0});
  }
  attempt.say(words_before_next(attempt));
  ++attempt_;
  part_ = 0;
  return pause(signals, options_.delay);
}

std::string Retry::words_before_next(Attempt& attempt) const {
  const int status = attempt.whole().wait_status;
  const std::string how = attempt.watch().exit_code() ? "over its time"
                          : WIFSIGNALED(status)       ? "signal " + std::to_string(WTERMSIG(status))
                                                : "exit " + std::to_string(WEXITSTATUS(status));
  return command_line(*plan_.call, 60) + ": attempt " + std::to_string(attempt_) + " of " +
         std::to_string(options_.retries + 1) + ": " + how + "; again " +
         (options_.delay.count() == 0 ? "now" : "in " + duration_words(options_.delay));
}

void Retry::describe(journal::Record& record) const {
  record.attempt = options_.retries == 0 ? 0 : attempt_;
  record.parts = commands_.size();
}

}  // namespace onelane::multicall
