#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/process/run.hpp"
#include "multicall/shim/additions.hpp"
#include "multicall/shim/attempt.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// Commands that run in one turn in place of a single one, and attempts to try them again.
struct RetryOptions {
  /// Argument vectors that run one after the other in place of the call's own, all of them whatever
  /// they end with; the worst one's end is the run's. argv[0] of the call stands for theirs. Empty:
  /// the call itself. Needs Plan::wait_for_all.
  std::vector<std::vector<std::string>> commands;
  int nothing_code = 0;  ///< With which one of them says that it had nothing to do; 0: none.
  unsigned retries = 0;  ///< Further attempts after non-zero, a signal of its own or a time-out.
  std::chrono::milliseconds delay{0};
};

/// Which command of a run is next, and whether there is another attempt.
class Retry {
 public:
  /// Both outlive it.
  Retry(const Plan& plan, const RetryOptions& options)
      : plan_{plan}, options_{options}, commands_{options.commands} {}

  /// The run begins, after the wait for its turn: PIPELINE_TIMEOUT counts from here.
  void begin(std::chrono::nanoseconds now) noexcept { began_ = now; }
  /// Another command may follow the next one.
  [[nodiscard]] bool may_go_on() const noexcept {
    return attempt_ <= options_.retries || part_ + 1 < commands_.size();
  }
  void set_command(std::vector<char*>& argv);
  [[nodiscard]] Next next(const process::Outcome& part, Attempt& attempt) const;
  /// Waits before what follows; says so before another attempt. The signal that ends us, or 0.
  [[nodiscard]] int pause_before(Next next, const process::Signals& signals, Attempt& attempt);
  void describe(journal::Record& record) const;

 private:
  [[nodiscard]] std::string words_before_next(Attempt& attempt) const;

  const Plan& plan_;
  const RetryOptions& options_;
  std::vector<std::vector<std::string>> commands_;  ///< execve(2) wants char*.
  std::chrono::nanoseconds began_{};
  unsigned attempt_ = 1;
  std::size_t part_ = 0;
};

/// Adds how one command ended to what is known of those before it. A launch that failed and a
/// death by signal are worse than any code, a higher code is worse than a lower one; the code for
/// "nothing to do" (0: there is none) is better than any.
[[nodiscard]] process::Outcome with_part(process::Outcome whole, const process::Outcome& part,
                                         int nothing_code = 0);

}  // namespace onelane::multicall
