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

/// A process that is about to be signalled, and why it is believed to be ours to signal.
struct Target {
  enum class As : std::uint8_t {
    Marked,      ///< A member of the run: its own initial environment names it.
    Below,       ///< A descendant of `root`, which is a member.
    Named,       ///< A member that we ourselves have found before, or put into the run's cgroup.
    Supervisor,  ///< A lane's entry says that it runs the run, or waits.
  };
  As as = As::Marked;
  sys::ProcessId id;
  std::uint32_t boot = 0;  ///< Of the record, sys::boot_id().
  std::string run_id;
  std::optional<uid_t> uid;  ///< The run's user; unset where no record has to be believed.
  sys::ProcessId root;       ///< For Below.
};

/// Why a process is spared.
enum class Spared : std::uint8_t {
  No,          ///< It may be signalled.
  OtherBoot,   ///< The record is of another boot: its pids mean nothing.
  NoRun,       ///< The record names no run.
  Gone,        ///< It has ended; its pid may be another's now.
  Ours,        ///< The calling process or an ancestor of it.
  OtherUser,   ///< Of another user than the run.
  Foreign,     ///< Does not belong to the run.
  Supervised,  ///< The supervisor of the run lives, above it.
  Kept,        ///< Left running on purpose.
  NoOnelane,   ///< For Supervisor: another program.
  NoPlace,     ///< For Supervisor: it does not hold the place that the entry says it has.
};

/// What is so at the moment of the question.
struct SignalFacts {
  std::uint32_t boot = 0;
  std::optional<sys::ProcessStat> now;  ///< What has the target's pid.
  std::optional<uid_t> uid;             ///< Its real user.
  std::string held;                     ///< ONELANE_HELD of the target; of `root` for Below.
  bool is_ours = false;
  bool is_supervised = false;
  bool is_kept = false;
  bool is_onelane = false;
  bool has_place = false;
};

/// The one answer to "may I signal this process?", for all who end what they have not started
/// themselves: sweep, guardian, `stop`, `steal`, orphans, patrol, `ci finish`. Pure.
[[nodiscard]] Spared why_spared(const Target& target, const SignalFacts& facts) noexcept;

/// Whether a onelane that has `own` as its ONELANE_HELD may be the supervisor of `run_id`, for a
/// process below it that has `held`: it was not started in that run, and the run that it was
/// started in comes right before that one in `held`. True where `held` does not say.
[[nodiscard]] bool may_supervise(std::string_view own, std::string_view held,
                                 std::string_view run_id) noexcept;

/// What the question is answered with, handed in; each may be empty, and then knows nothing.
struct SignalRules {
  std::function<bool(pid_t pid)> is_onelane;
  std::function<bool(const sys::ProcessId& id)> is_kept;
  /// True for a process that has the place in the lane that an entry gives it.
  std::function<bool(pid_t pid)> has_place;
};

/// Asks the question of many processes in one scan: what it has read of /proc it remembers, so it
/// is to be made anew for the next. One thread; blocks for /proc alone.
class SignalJudge {
 public:
  explicit SignalJudge(SignalRules rules);
  [[nodiscard]] Spared judge(const Target& target);

 private:
  [[nodiscard]] SignalFacts facts_of(const Target& target);
  [[nodiscard]] bool is_supervised(const Target& target, const SignalFacts& facts);
  struct Above {
    pid_t parent = 0;
    bool is_live = false;  ///< Not in the middle of its end.
  };
  [[nodiscard]] const Above& look_at(pid_t pid);
  [[nodiscard]] const std::optional<std::string>& held_of_onelane(pid_t pid);

  SignalRules rules_;
  std::uint32_t boot_;
  std::unordered_set<pid_t> own_;
  std::unordered_map<pid_t, Above> seen_;
  /// ONELANE_HELD of those that are a onelane; nothing for others.
  std::unordered_map<pid_t, std::optional<std::string>> onelanes_;
};

}  // namespace onelane::process
