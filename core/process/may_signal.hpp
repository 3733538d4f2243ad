#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "core/sys/process.hpp"

namespace onelane::process {

/// A process about to be signalled, and the reason to believe that it belongs to the run.
struct Target {
  enum class As : std::uint8_t {
    Marked,      ///< A member of the run: its own initial environment names it.
    Below,       ///< A descendant of `root`, which is a member.
    Named,       ///< A member that we found before ourselves, or put into the run's cgroup.
    Supervisor,  ///< A lane's entry says that it supervises the run, or waits.
  };
  As as = As::Marked;
  sys::ProcessId id;
  std::uint32_t boot = 0;  ///< Of the record, sys::boot_id().
  std::string run_id;
  std::optional<uid_t> uid;  ///< The run's user; unset when there is no record to check.
  sys::ProcessId root;       ///< For Below.
};

/// Why a process must not be signalled.
enum class Spared : std::uint8_t {
  No,          ///< It may be signalled.
  OtherBoot,   ///< The record is of another boot: its pids mean nothing.
  NoRun,       ///< The record names no run.
  Gone,        ///< It has ended; the pid may belong to another process.
  Ours,        ///< The calling process or one of its ancestors.
  OtherUser,   ///< It belongs to another user than the run.
  Foreign,     ///< It does not belong to the run.
  Supervised,  ///< The supervisor of the run is alive above it.
  Kept,        ///< Left running on purpose.
  NoOnelane,   ///< For Supervisor: it is another program.
  NoPlace,     ///< For Supervisor: it does not hold the place that the entry says it has.
};

/// The facts at the moment of the question.
struct SignalFacts {
  std::uint32_t boot = 0;
  std::optional<sys::ProcessStat> now;  ///< The process that has the target's pid.
  std::optional<uid_t> uid;             ///< Its real user.
  std::string held;                     ///< ONELANE_HELD of the target; of `root` for Below.
  bool is_ours = false;
  bool is_supervised = false;
  bool is_kept = false;
  bool is_onelane = false;
  bool has_place = false;
};

/// The one answer to "may I signal this process?" for all code that ends processes it has not
/// started itself: sweep, guardian, `stop`, `steal`, orphans, patrol, `ci finish`. Pure.
[[nodiscard]] Spared why_spared(const Target& target, const SignalFacts& facts) noexcept;

/// Whether a onelane with `own` as its ONELANE_HELD may be the supervisor of `run_id`, for a
/// process below it with `held`: it was not started in that run, and the run it was started in
/// comes right before `run_id` in `held`. True when `held` does not tell.
[[nodiscard]] bool may_supervise(std::string_view own, std::string_view held,
                                 std::string_view run_id) noexcept;

/// Callbacks that supply facts; an empty one supplies none.
struct SignalRules {
  std::function<bool(pid_t pid)> is_onelane;
  std::function<bool(const sys::ProcessId& id)> is_kept;
  /// True for a process that has the place in the lane that an entry gives it.
  std::function<bool(pid_t pid)> has_place;
};

/// Answers the question for many processes in one scan. It caches what it has read of /proc, so
/// make a new one for the next scan. One thread; blocks only for /proc.
class SignalJudge {
 public:
  explicit SignalJudge(SignalRules rules);
  [[nodiscard]] Spared judge(const Target& target);

 private:
  [[nodiscard]] SignalFacts facts_of(const Target& target);
  [[nodiscard]] bool is_supervised(const Target& target, const SignalFacts& facts);
  struct Above {
    pid_t parent = 0;
    bool is_live = false;  ///< Not exiting.
  };
  [[nodiscard]] const Above& look_at(pid_t pid);
  [[nodiscard]] const std::optional<std::string>& held_of_onelane(pid_t pid);

  SignalRules rules_;
  std::uint32_t boot_;
  std::unordered_set<pid_t> own_;
  std::unordered_map<pid_t, Above> seen_;
  /// ONELANE_HELD of the processes that are a onelane; nullopt for others.
  std::unordered_map<pid_t, std::optional<std::string>> onelanes_;
};

}  // namespace onelane::process
