#include "multicall/job/job.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <exception>
#include <iterator>

#include "core/sys/clock.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/job/early_release.hpp"
#include "multicall/shim/pause.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall {
namespace {

/// A base class, so that the options exist before the Job that borrows them.
struct OwnOptions {
  JobOptions options;
};

/// The job of a shim's call, which owns its options.
class CallJob : OwnOptions, public Job {
 public:
  CallJob(const Plan& plan, JobOptions own, std::optional<capture::Captured> captured)
      : OwnOptions{std::move(own)}, Job{plan, options}, captured_{std::move(captured)} {}
  void leave() noexcept override {
    if (captured_) {
      captured_->teller->tell_end();
    }
  }

 private:
  std::optional<capture::Captured> captured_;
};

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

Job::Job(const Plan& plan, const JobOptions& options)
    : plan_{plan}, options_{options}, retry_{plan, options.retry}, release_{plan, options.wiring} {}

void Job::note_place(const std::string& run_id) {
  if (options_.wiring.queued) {
    options_.wiring.queued(run_id);
  }
}

int Job::begin(Turn& turn, const Times& times) {
  release_.begin(turn.ticket());
  if (!turn.is_beside()) {  // a run beside another one neither takes a result nor keeps one
    const coalesce::Found found = coalesce::look_around(plan_, turn, times);
    if (found.signal != 0) {
      return found.signal;
    }
    if (found.taken) {
      journal::Record record = record_of(plan_, turn, times);
      describe(record);
      coalesce::take_result(plan_, turn, std::move(record), *found.taken);
    }
    kept_run_ = coalesce::KeptRun::begin(plan_, turn, found);
  }
  retry_.begin(sys::monotonic_time());
  return 0;
}

std::array<int, 2> Job::output() const noexcept {
  return kept_run_ ? kept_run_->output() : options_.wiring.output;
}

void Job::look(const process::Scene& scene, Attempt& attempt,
               process::Judgement& judgement) noexcept {
  release_.look(scene, attempt.watch(), judgement);
}

process::Outcome Job::whole_with(const process::Outcome& before,
                                 const process::Outcome& part) const noexcept {
  return with_part(before, part, options_.retry.nothing_code);
}

// A result that others wait for is recorded while the lane is held: the next call looks for it.
Next Job::next(const process::Outcome& part, Attempt& attempt) noexcept {
  const Next next = retry_.next(part, attempt);
  if (next == Next::Nothing && kept_run_) {
    attempt.record();
  }
  return next;
}

int Job::pause_before(Next next, const process::Signals& signals, Attempt& attempt) noexcept {
  return retry_.pause_before(next, signals, attempt);
}

// The output is completed first, so that it is there for a reader of the record.
void Job::add_to(journal::Record& record, const process::Outcome& outcome) {
  if (kept_run_) {
    kept_run_->finish(record, outcome);
  }
  if (options_.wiring.report) {
    options_.wiring.report(record);
  }
}

void Job::finish() noexcept {
  if (kept_run_) {
    kept_run_->wait_for_reader();
  }
}

std::unique_ptr<Additions> additions_for_call(Plan& plan) {
  JobOptions options;
  auto& ready = options.wiring.ready;
  if (!plan.is_service()) {
    ready = ready_rule_for(*plan.call, plan.settings);
  }
  if (!ready) {
    const auto cls = plan.is_service() ? shims::Class::Service : plan.decision.cls;
    plan.call_key = coalesce::standing_of(*plan.call, cls, plan.settings).key;
    return plan.call_key == 0 ? std::make_unique<Additions>()
                              : std::make_unique<CallJob>(plan, std::move(options), std::nullopt);
  }
  plan.until = words_of(*ready);
  std::optional<capture::Captured> captured;
  if (ready->port == 0) {  // it waits for a line of output, which a process has to read
    try {
      captured = capture::capture_output(options.wiring, {});
    } catch (const std::exception& failure) {
      say(std::string{failure.what()} + "; the lane is kept until " + std::string{plan.call->name} +
          " has ended");
      plan.until.clear();
      return std::make_unique<Additions>();
    }
  }
  return std::make_unique<CallJob>(plan, std::move(options), std::move(captured));
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
