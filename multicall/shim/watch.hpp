#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/guard/card.hpp"
#include "core/guard/cgroup.hpp"
#include "core/guard/guard.hpp"
#include "core/guard/measure.hpp"
#include "core/journal/run_log.hpp"
#include "core/process/judgement.hpp"
#include "core/process/orphans.hpp"
#include "core/process/signals.hpp"
#include "multicall/context/index_lock.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// Ends orphans of a project's earlier runs while one of its runs is supervised: TERM when one is
/// found, KILL at the first look after KILL_TIMEOUT. Never blocks for their end.
///
/// No user has asked for this, so the run id in an environment is not proof enough (it may have
/// been saved, or passed into a container). A process is ended only if it started before its run
/// ended, by the journal, or below such a process, and if it is in our PID namespace. `onelane
/// orphans` lists the rest.
class OrphanPatrol {
 public:
  /// `say` is called with one line for each run whose orphans are ended.
  OrphanPatrol(const project::Project& project, const settings::Settings& settings,
               std::function<void(const std::string& line)> say);
  OrphanPatrol(const OrphanPatrol&) = delete;
  OrphanPatrol& operator=(const OrphanPatrol&) = delete;

  /// To be called at each look at the run; scans at most every five seconds.
  void look();
  /// Number of processes that were told to end.
  [[nodiscard]] std::size_t ended() const noexcept { return ended_; }

 private:
  [[nodiscard]] process::OrphanRules rules() const;
  [[nodiscard]] bool is_certain(const process::Orphan& orphan) const;

  struct Told {
    sys::ProcessId id;
    std::chrono::nanoseconds at{};
  };

  LanesHere lanes_;
  RunBook book_{run_book(lanes_)};
  process::OrphanWatch watch_{rules()};
  std::function<void(const std::string&)> say_;
  std::vector<Told> told_;
  std::size_t ended_ = 0;
  std::chrono::nanoseconds next_{};
};

/// Watches one supervised run: measures it, warns near a limit, orders its end, and keeps what the
/// record of the run needs. Costs nothing before the first look.
class Watch {
 public:
  /// Borrows both. `before` is how much of PIPELINE_TIMEOUT earlier attempts have used.
  Watch(const Plan& plan, const std::string& run_id, std::chrono::nanoseconds before = {})
      : plan_{plan}, run_id_{run_id}, before_{before} {}

  /// To be called just before the tool is started.
  void note_launch();

  /// One look. Never throws: what cannot be read is tried again at the next look.
  [[nodiscard]] process::Judgement judge(const process::Scene& scene) noexcept;
  [[nodiscard]] bool peek() const { return measure_->has_machine_changed(); }
  /// The run is a service from now on: limits of time no longer apply.
  void note_ready() { end_time_limits(); }
  /// A user or the queue has ordered the run to stop: says so, once.
  void note_stop(const process::Signals::Arrived& order);
  /// Writes one line to the log of the run and, unless quiet, to standard error.
  void say_line(const std::string& line, journal::Level level = journal::Level::Info);
  /// After the run: gives up its control group, with any kept processes in it.
  void finish();
  /// After a run that was killed: names a git lock file that it left. `pid` is the tool if that is
  /// git itself, else 0.
  void say_left_lock(pid_t pid);

  /// 124 or 137 if a limit ended the run, else nothing.
  [[nodiscard]] std::optional<int> exit_code() const;
  [[nodiscard]] const std::optional<guard::Guard>& guard() const noexcept { return guard_; }
  [[nodiscard]] const std::optional<guard::Card>& card() const noexcept { return card_; }
  [[nodiscard]] bool was_stopped() const noexcept { return stopped_; }
  /// Orphans of earlier runs that were told to end.
  [[nodiscard]] std::size_t orphans() const noexcept { return patrol_ ? patrol_->ended() : 0; }
  [[nodiscard]] unsigned warnings() const noexcept { return warnings_; }

 private:
  void begin();
  [[nodiscard]] process::Judgement look(const process::Scene& scene);
  void note_end_of_tool();
  void end_time_limits();
  void end(const guard::Breach& breach, const guard::Sample& sample);
  void tell(const guard::Ruling& ruling);
  void look_for_orphans(std::chrono::nanoseconds running);
  void use_group(std::span<const sys::ProcessStat> members, std::chrono::nanoseconds running);

  const Plan& plan_;
  const std::string& run_id_;
  std::chrono::nanoseconds before_;
  LockSeen lock_before_;  ///< The git lock that was there before the tool was started.
  guard::Limits limits_;
  std::optional<guard::Measure> measure_;
  std::optional<guard::Guard> guard_;
  std::optional<guard::Card> card_;
  std::optional<guard::Cgroup> group_;
  std::optional<journal::RunLog> log_;
  std::unique_ptr<OrphanPatrol> patrol_;  ///< Large, and of long runs alone.
  bool tried_group_ = false;
  std::optional<LockOwner> lock_owner_;
  bool reads_terminal_ = false;
  bool spares_kept_ = true;  ///< No limit has been broken while the tool ran.
  bool stopped_ = false;
  bool tool_counts_ = true;  ///< A broken limit decides the exit code: see note_end_of_tool().
  bool looked_for_owner_ = false;
  unsigned warnings_ = 0;
};

}  // namespace onelane::multicall
