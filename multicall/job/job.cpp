#include "multicall/job/job.hpp"

#include <exception>

#include "core/sys/clock.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/job/ready.hpp"
#include "multicall/term/say.hpp"

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

}  // namespace onelane::multicall
