#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/process/run.hpp"
#include "multicall/job/capture/capture.hpp"
#include "multicall/job/capture/wiring.hpp"
#include "multicall/job/coalesce/coalesce.hpp"
#include "multicall/job/early_release.hpp"
#include "multicall/shim/additions.hpp"
#include "multicall/shim/attempt.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// Commands that run in one turn in place of a single one, and attempts to try them again.
struct RetryOptions {
  /// Argument vectors to run one after the other in place of the call's own. All are run, however
  /// they end, and the worst result is the run's. argv[0] of the call replaces theirs. Empty: run
  /// the call itself. Needs Plan::wait_for_all.
  std::vector<std::vector<std::string>> commands;
  int nothing_code = 0;  ///< Exit code of a command that had nothing to do; 0: there is none.
  unsigned retries = 0;  ///< Further attempts after a non-zero code, a crash or a time-out.
  std::chrono::milliseconds delay{0};
};

/// Decides which command of a run is next, and whether there is another attempt.
class Retry {
 public:
  /// Borrows both.
  Retry(const Plan& plan, const RetryOptions& options)
      : plan_{plan}, options_{options}, commands_{options.commands} {}

  /// To be called when the run has its turn: PIPELINE_TIMEOUT counts from here.
  void begin(std::chrono::nanoseconds now) noexcept { began_ = now; }
  /// True if another command may follow the next one.
  [[nodiscard]] bool may_go_on() const noexcept {
    return attempt_ <= options_.retries || part_ + 1 < commands_.size();
  }
  void set_command(std::vector<char*>& argv);
  [[nodiscard]] Next next(const process::Outcome& part, Attempt& attempt) const;
  /// Announces another attempt and waits for the delay before it. Returns a signal that ends us, or
  /// 0.
  [[nodiscard]] int pause_before(Next next, const process::Signals& signals, Attempt& attempt);
  void describe(journal::Record& record) const;

 private:
  [[nodiscard]] std::string words_before_next(Attempt& attempt) const;

  const Plan& plan_;
  const RetryOptions& options_;
  std::vector<std::vector<std::string>> commands_;  ///< A copy, since execve(2) takes char*.
  std::chrono::nanoseconds began_{};
  unsigned attempt_ = 1;
  std::size_t part_ = 0;
};

/// Combines the outcome of one command with that of the commands before it: the worse one counts. A
/// failed launch or a death by signal is worse than any code, a higher code is worse than a lower
/// one, and the code for "nothing to do" (0: there is none) is better than any other.
[[nodiscard]] process::Outcome with_part(process::Outcome whole, const process::Outcome& part,
                                         int nothing_code = 0);

/// What the caller asks for around a run.
struct JobOptions {
  RetryOptions retry;
  capture::Wiring wiring;
};

/// Everything that is added around a run: several attempts and parts, captured output, a result
/// that other calls take over, a lane that is given back while the run goes on.
class Job : public Additions {
 public:
  /// Borrows both.
  Job(const Plan& plan, const JobOptions& options);

  void note_place(const std::string& run_id) override;
  int begin(Turn& turn, const Times& times) override;
  void describe(journal::Record& record) const override { retry_.describe(record); }
  [[nodiscard]] std::array<int, 2> output() const noexcept override;
  [[nodiscard]] int wake() const noexcept override { return release_.wake(); }
  [[nodiscard]] bool may_go_on() const noexcept override { return retry_.may_go_on(); }
  void set_command(std::vector<char*>& argv) override { retry_.set_command(argv); }
  [[nodiscard]] bool peek() noexcept override { return release_.peek(); }
  void look(const process::Scene& scene, Attempt& attempt,
            process::Judgement& judgement) noexcept override;
  [[nodiscard]] process::Outcome whole_with(const process::Outcome& before,
                                            const process::Outcome& part) const noexcept override;
  [[nodiscard]] Next next(const process::Outcome& part, Attempt& attempt) noexcept override;
  int pause_before(Next next, const process::Signals& signals, Attempt& attempt) noexcept override;
  void add_to(journal::Record& record, const process::Outcome& outcome) override;
  [[nodiscard]] bool wants_record() const noexcept override { return bool{options_.wiring.report}; }
  void finish() noexcept override;

 private:
  const Plan& plan_;
  const JobOptions& options_;
  Retry retry_;
  EarlyRelease release_;
  std::unique_ptr<coalesce::KeptRun> kept_run_;  ///< Null unless other calls wait for the result.
};

/// What COALESCE and RELEASE_ON_READY add around a call of a shim; see AdditionsFor. May fork.
[[nodiscard]] std::unique_ptr<Additions> additions_for_call(Plan& plan);

}  // namespace onelane::multicall
