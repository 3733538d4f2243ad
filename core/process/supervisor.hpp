#pragma once

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/background.hpp"
#include "core/process/canary.hpp"
#include "core/process/guardian.hpp"
#include "core/process/held_signals.hpp"
#include "core/process/judgement.hpp"
#include "core/process/launch.hpp"
#include "core/process/leftovers.hpp"
#include "core/process/signals.hpp"

struct rusage;

namespace onelane::process {

using std::chrono::milliseconds;

/// One run: what to start and how to end it.
struct Run {
  Command command;
  std::string run_id;
  std::string name;  ///< For notices: "make test".
  RunTraits traits;
  KeepList keep;
  /// Such a call that lives on in the background keeps the lane (Hooks::in_background); may be
  /// empty.
  LaneCallTest is_lane_call;
  milliseconds linger{2'000};
  milliseconds kill_timeout{10'000};
  milliseconds check_interval{5'000};
  int kill_signal = SIGTERM;  ///< The first one that the tool gets when it is ended.
  /// Another command of the run follows, maybe: the caller's descriptors are kept for it.
  bool may_go_on = false;
  bool wait_for_all = false;  ///< Wait for every descendant that is not on the keep list.
  std::vector<int> guardian_descriptors;
  int wake = -1;  ///< Readable when a look is due, which empties it; -1 for none.
};

/// What the members of a run have used (getrusage(2)), those apart that nobody waited for.
struct Usage {
  std::uint64_t cpu_ms = 0;
  std::uint64_t largest_kb = 0;  ///< Resident, of the largest process.
  std::uint64_t blocks_in = 0;   ///< Of 512 bytes.
  std::uint64_t blocks_out = 0;
};

/// How a run ended.
struct Outcome {
  pid_t tool = 0;
  int launch_error = 0;  ///< errno of fork or exec; nothing ran then.
  int wait_status = 0;   ///< Of the tool (waitpid(2)).
  std::vector<KeptProcess> kept;
  bool ended_by_order = false;              ///< By the judge or a stop order, not by itself.
  int ending_signal = 0;                    ///< INT, TERM, HUP or QUIT that reached us; 0 for none.
  std::size_t ended_leftovers = 0;          ///< Stragglers that were sent a signal.
  std::vector<sys::ProcessStat> survivors;  ///< What even KILL did not end.
  Usage usage;
};

/// What the supervisor tells its caller while it works; each may be empty.
struct Hooks {
  std::function<void(const sys::ProcessId& tool)> started;
  /// Bounds the run: asked at each look at its members.
  std::function<Judgement(const Scene& scene)> judge;
  /// A cheap question between two looks (Judgement::peek): true when a look is due.
  std::function<bool()> peek;
  /// Somebody ordered the run to stop (order_stop).
  std::function<void(const Signals::Arrived& order)> stop_ordered;
  /// One line for people, without prefix and newline.
  std::function<void(const std::string& line)> say;
  /// Asked when everything has ended or is kept: true where another command of the run follows
  /// under the same locks. Then settled and release are not called; may be empty.
  std::function<bool(const Outcome& outcome)> goes_on;
  /// Everything has ended or is kept; the guardian still stands by.
  std::function<void(const std::vector<KeptProcess>& kept)> settled;
  /// Nested calls are nested no more from here on, unless below `kept` that is in the background;
  /// `keeper` is who keeps the lane. False where the run does not hold it (any more); empty: never.
  std::function<bool(const std::vector<KeptProcess>& kept, const sys::ProcessId& keeper)>
      in_background;
  /// The guardian keeps the lane from here on; in place of settled and release.
  std::function<void()> handed_over;
  /// The guardian has been told; now the locks may go.
  std::function<void()> release;
  /// In the guardian, after a crash of the supervisor; `kept` lives on.
  std::function<void(const std::vector<KeptProcess>& kept)> after_crash;
  /// In the guardian: as judge and stop_ordered, for what goes on in the background.
  std::function<Judgement(const Scene& scene)> judge_background;
  std::function<void(const Signals::Arrived& order)> background_stop_ordered;
  /// In the guardian, when nothing goes on there any more.
  std::function<void()> after_background;
};

/// Starts a tool in the caller's process group and stays beside it until it and all its
/// stragglers have ended: passes on what reached us alone, stops and continues with it,
/// publishes its members to a guardian, has it judged, sorts what it leaves behind.
///
/// Never changes a process group, session or terminal, and never signals a group: members
/// are the descendants of the process that runs this (a subreaper, prctl(2)). Gives the
/// caller's descriptors up after the launch, standard error apart. One thread; blocks.
class Supervisor {
 public:
  Supervisor(const Run& run, const Signals& signals, Hooks hooks);
  [[nodiscard]] Outcome supervise();

 private:
  /// Everything after the launch. Not to be left by an exception: somebody would run the
  /// tool a second time. Terminating hands the run to the guardian.
  void see_it_through(pid_t tool) noexcept;
  void start_guardian();
  void wait_for_tool();
  void end_by_order();
  void settle();

  /// Waits at most `limit` for signals and handles them, looks included.
  void pump(milliseconds limit);
  void handle(const Signals::Arrived& arrived);
  void note_ending(int signal);
  void note_usage(const struct rusage& usage);
  void forward(int signal);
  /// `arrived` came to us, and so far not to the group.
  void pass_on(const Signals::Arrived& arrived);
  void hold(int signal);
  void look_at_held();
  void renew_canary();
  void tidy_canary();
  void reap();
  void stop_with_tool(int signal);
  void look();
  [[nodiscard]] milliseconds until_look() const;

  /// Living descendants that belong to the run.
  [[nodiscard]] std::vector<sys::ProcessStat> members() const;
  struct Sorted {
    std::vector<KeptProcess> kept;
    std::vector<sys::ProcessStat> stragglers;
  };
  [[nodiscard]] Sorted sort_members() const;
  [[nodiscard]] bool lives_on(const sys::ProcessStat& stat, Leftover leftover) const;
  /// What the members are sorted for: by itself a run spares more than once it was told to stop.
  [[nodiscard]] Occasion occasion() const noexcept {
    return traits_.was_cut_short != 0 ? Occasion::Stop : Occasion::RunEnd;
  }
  [[nodiscard]] Sorted wait_for_leftovers();
  [[nodiscard]] std::vector<sys::ProcessStat> condemned() const;
  void end_stragglers(const std::vector<sys::ProcessStat>& stragglers, milliseconds grace);
  void finish(std::vector<KeptProcess> kept);
  void say_kept(const std::vector<KeptProcess>& kept) const;
  [[nodiscard]] std::vector<sys::ProcessId> background_roots(
      const std::vector<KeptProcess>& kept) const;
  [[nodiscard]] bool may_become_lane_call(const std::vector<KeptProcess>& kept) const;
  [[nodiscard]] bool hand_over(std::vector<KeptProcess>& kept);
  [[nodiscard]] bool is_alone() const;
  void say(const std::string& line) const;

  const Run& run_;
  RunTraits traits_;  ///< The run's, and whether it was cut short.
  const Signals& signals_;
  Hooks hooks_;
  std::vector<sys::ProcessId> prior_;  ///< Children from before the launch.
  sys::ProcessId tool_;
  std::optional<int> tool_status_;
  Canary canary_;
  HeldSignals held_;
  pid_t parent_;       ///< As it was before the launch.
  sigset_t missed_{};  ///< Arrived before the tool existed, so it has none of them.
  Guardian guardian_;
  Outcome outcome_;
  bool said_unguarded_ = false;
  bool has_more_to_reap_ = false;
  bool impatient_ = false;  ///< An ending signal arrived after the tool had ended.
  bool is_ending_ = false;  ///< LINGER is over: what we may not signal is left running.
  std::chrono::nanoseconds started_{};
  std::chrono::nanoseconds stopped_for_{};
  std::chrono::nanoseconds stale_since_{};  ///< Seen in the canary at a look; 0 for nothing.
  std::chrono::nanoseconds awake_{};        ///< Last moment at which we surely ran.
  Order order_ = Order::GoOn;
  bool spares_kept_ = true;
  std::chrono::nanoseconds next_look_{};
  milliseconds pause_{50};  ///< Before the next look.
  milliseconds peek_{0};    ///< Between two peeks.
};

}  // namespace onelane::process
