#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/canary.hpp"
#include "core/process/guardian.hpp"
#include "core/process/launch.hpp"
#include "core/process/leftovers.hpp"
#include "core/process/signals.hpp"

namespace onelane::process {

using std::chrono::milliseconds;

/// One run: what to start and how to end it.
struct Run {
  Command command;
  std::string run_id;
  std::string name;  ///< For notices: "make test".
  RunTraits traits;
  KeepList keep;
  milliseconds timeout{0};  ///< From launch on, stopped time excluded; 0 for none.
  milliseconds linger{2'000};
  milliseconds kill_timeout{10'000};
  milliseconds check_interval{5'000};
  bool wait_for_all = false;  ///< Wait for every descendant that is not on the keep list.
  std::vector<int> guardian_descriptors;
};

/// A process left running on purpose.
struct KeptProcess {
  sys::ProcessId id;
  std::string command;
  bool listed = false;
};

/// What the supervisor tells its caller while it works; each may be empty.
struct Hooks {
  std::function<void(const sys::ProcessId& tool)> started;
  /// One line for people, without prefix and newline.
  std::function<void(const std::string& line)> say;
  /// Everything has ended or is kept; the guardian still stands by.
  std::function<void(const std::vector<KeptProcess>& kept)> settled;
  /// The guardian has been told; now the locks may go.
  std::function<void()> release;
  /// In the guardian, after a crash of the supervisor.
  std::function<void()> after_crash;
};

/// How a run ended.
struct Outcome {
  int launch_error = 0;  ///< errno of fork or exec; nothing ran then.
  int wait_status = 0;   ///< Of the tool (waitpid(2)).
  bool timed_out = false;
  std::vector<sys::ProcessStat> survivors;  ///< What even KILL did not end.
};

/// Starts a tool in the caller's process group and stays beside it until it and all its
/// stragglers have ended: passes on what reached us alone, stops and continues with it,
/// publishes its members to a guardian, bounds its time, sorts what it leaves behind.
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
  void end_by_timeout();
  void settle();

  /// Waits at most `limit` for signals and handles them, ticks included.
  void pump(milliseconds limit);
  void handle(const Signals::Arrived& arrived);
  void forward(int signal);
  void renew_canary();
  void reap();
  void stop_with_tool(int signal);
  void tick();
  [[nodiscard]] milliseconds until_tick() const;

  /// Living descendants that belong to the run.
  [[nodiscard]] std::vector<sys::ProcessStat> members() const;
  struct Sorted {
    std::vector<KeptProcess> kept;
    std::vector<sys::ProcessStat> stragglers;
  };
  [[nodiscard]] Sorted sort_members() const;
  [[nodiscard]] Sorted wait_for_leftovers();
  void end_stragglers(const std::vector<sys::ProcessStat>& stragglers);
  void finish(const std::vector<KeptProcess>& kept);
  [[nodiscard]] bool is_alone() const;
  void say(const std::string& line) const;

  const Run& run_;
  const Signals& signals_;
  Hooks hooks_;
  std::vector<sys::ProcessId> prior_;  ///< Children from before the launch.
  sys::ProcessId tool_;
  std::optional<int> tool_status_;
  Canary canary_;
  sigset_t missed_{};  ///< Arrived before the tool existed, so it has none of them.
  Guardian guardian_;
  Outcome outcome_;
  bool impatient_ = false;  ///< An ending signal arrived after the tool had ended.
  bool is_ending_ = false;  ///< LINGER is over: what we may not signal is left running.
  std::chrono::nanoseconds started_{};
  std::chrono::nanoseconds stopped_for_{};
  std::chrono::nanoseconds next_tick_{};
  milliseconds tick_length_{50};
};

}  // namespace onelane::process
