#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "multicall/job/capture/capture.hpp"
#include "multicall/job/capture/wiring.hpp"
#include "multicall/job/coalesce/coalesce.hpp"
#include "multicall/job/early_release.hpp"
#include "multicall/job/retry.hpp"
#include "multicall/shim/additions.hpp"

namespace onelane::multicall {

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
