#pragma once

#include <signal.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/process/canary.hpp"
#include "core/process/guardian.hpp"
#include "core/process/held_signals.hpp"
#include "core/process/judgement.hpp"
#include "core/process/launch.hpp"
#include "core/process/members.hpp"
#include "core/process/run.hpp"
#include "core/process/signals.hpp"

namespace onelane::process {

using std::chrono::milliseconds;

/// Starts a tool in the caller's process group and supervises it until it and all its stragglers
/// have ended: passes on signals sent to us alone, stops and continues with it, publishes its
/// members to a guardian, has it judged, sorts what it leaves behind.
///
/// The steps, in this order: launch(), outlives() and start_guardian(), wait(), settle(), and then
/// either stand_down(), or tell_guardian() and dismiss_guardian() with the locks released between
/// them, or leave_to_guardian(). No exception may leave a step after launch(): the caller would run
/// the tool a second time. Terminating hands the run to the guardian.
///
/// Never changes a process group, session or terminal, and never signals a group: members are the
/// descendants of the calling process (a subreaper, prctl(2)). Closes the caller's descriptors
/// after the launch, except standard error. One thread; blocks.
class Supervisor {
 public:
  /// All arguments must outlive it.
  Supervisor(const Run& run, const Signals& signals, Judge& judge);

  /// Starts the tool. Returns 0, or the errno of exec, after which another command may be tried.
  /// Throws SystemError when no process can be started.
  [[nodiscard]] int launch(const Command& command);
  /// False when the tool has ended within `span`.
  [[nodiscard]] bool outlives(milliseconds span) noexcept;
  /// From here on, even a killed supervisor leaves no stragglers.
  void start_guardian() noexcept;
  [[nodiscard]] const sys::ProcessId& tool() const noexcept { return tool_; }
  /// Blocks until the tool has ended, by itself or by order.
  void wait() noexcept;
  /// Blocks until everything that the tool left behind has ended too or is kept.
  const Outcome& settle() noexcept;
  [[nodiscard]] const Outcome& outcome() const noexcept { return outcome_; }

  /// Ends the guardian: another command of the run follows, with one of its own.
  void stand_down() noexcept;
  /// Call it when the record is closed: the guardian, which shares the locks, has nothing left to
  /// do.
  void tell_guardian() noexcept { guardian_.settled(); }
  void dismiss_guardian() noexcept { guardian_.reap(); }
  /// Prints the kept processes.
  void say_kept() const noexcept;

  /// True when a kept process may be a lane call, for which the lane would have to be kept.
  [[nodiscard]] bool may_have_background() const noexcept;
  /// Sorts the kept processes once more, after nested calls have ended; true when lane calls are
  /// among them.
  [[nodiscard]] bool has_background() noexcept;
  /// A living guardian that knows them; nullopt when it has died or cannot be started: try again.
  [[nodiscard]] std::optional<sys::ProcessId> guardian_for_background() noexcept;
  /// Leaves the lane to that guardian until they have ended. False when it is dead.
  [[nodiscard]] bool leave_to_guardian() noexcept { return guardian_.keep_watch(); }
  /// The background calls do not keep the lane after all: no guardian could take it over.
  void drop_background() noexcept;

 private:
  void end_by_order();
  /// Waits at most `limit` for signals and handles them, looks included.
  void pump(milliseconds limit);
  void handle(const Signals::Arrived& arrived);
  void note_ending(int signal);
  void forward(int signal);
  void identify_tool();
  /// Handles `arrived`, a signal that reached us but so far not the group.
  void pass_on(const Signals::Arrived& arrived);
  void hold(int signal);
  void look_at_held();
  void renew_canary();
  void tidy_canary();
  void reap();
  void stop_with_tool(int signal);
  void look();
  [[nodiscard]] milliseconds until_look() const;
  [[nodiscard]] std::vector<sys::ProcessStat> members();
  [[nodiscard]] Sorted sort_members();
  [[nodiscard]] Sorted wait_for_leftovers();
  [[nodiscard]] std::vector<sys::ProcessStat> condemned();
  void end_stragglers(const std::vector<sys::ProcessStat>& stragglers, milliseconds grace);
  void say(const std::string& line) const { judge_.say(line); }

  const Run& run_;
  const Signals& signals_;
  Judge& judge_;
  Members members_;
  sys::ProcessId tool_;
  std::optional<int> tool_status_;
  Canary canary_;
  HeldSignals held_;
  pid_t parent_;       ///< The parent before the launch.
  sigset_t missed_{};  ///< Arrived before the tool existed, so the tool has not received them.
  Guardian guardian_;
  Outcome outcome_;
  bool said_unguarded_ = false;
  bool has_more_to_reap_ = false;
  bool is_impatient_ = false;  ///< An ending signal arrived after the tool had ended.
  bool is_ending_ = false;     ///< LINGER is over: processes we may not signal are left running.
  std::chrono::nanoseconds started_{};
  std::chrono::nanoseconds stopped_for_{};
  std::chrono::nanoseconds stale_since_{};  ///< First look with a signal in the canary; 0: none.
  std::chrono::nanoseconds awake_{};        ///< Last moment at which we certainly ran.
  Order order_ = Order::GoOn;
  bool spares_kept_ = true;
  std::chrono::nanoseconds next_look_{};
  milliseconds pause_{50};  ///< Before the next look.
  milliseconds peek_{0};    ///< Between two peeks.
};

}  // namespace onelane::process
