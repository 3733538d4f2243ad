#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/process/ending.hpp"
#include "core/process/leftovers.hpp"
#include "core/sys/process.hpp"

namespace onelane::process {

/// A process that carries the id of a run that has ended.
struct Orphan {
  sys::ProcessStat stat;
  std::string run_id;  ///< The innermost wanted run in its marker.
  Leftover sorted = Leftover::Straggler;
};

/// A process that a run has recorded as kept.
struct WrittenDown {
  sys::ProcessId id;
  std::string run_id;
  /// The record proves that it belongs to the run, even when its environment does not.
  bool is_proof = false;
};

/// What a scan asks its caller; each function may be empty.
///
/// A run is live while one of these holds, and then none of its processes is an orphan:
///
/// - `live_runs` names it: its ticket's byte in the lane file is locked, by the supervisor or by
///   the guardian that clears away after it;
/// - a onelane process is above the process in /proc (a supervisor adopts every process that loses
///   its parent, so the processes of a live run cannot leave its tree), or the process that
///   SEQUENTIAL_EXECUTOR_PID names is;
/// - the line of ancestors begins at a process that entered our PID namespace from outside and
///   carries the id: the supervisor is outside, where we cannot look.
///
/// When the line of ancestors cannot be read to its end, the process is not reported.
struct OrphanRules {
  /// Ids of live runs. Called once per scan, after the processes have been listed: a run that
  /// starts in between is then known before its processes are judged.
  std::function<std::vector<std::string>()> live_runs;
  /// Whether the orphans of this run are wanted; empty: of any run.
  std::function<bool(std::string_view run_id)> is_wanted;
  /// True for an executable of onelane: supervisors, guardians, canaries, waiting calls.
  std::function<bool(pid_t pid)> is_onelane;
  /// Pids that the lane's table names as waiting; called once per scan. Those that are onelane's
  /// are no orphans, so their environment is not read, which costs more than all else.
  std::function<std::vector<pid_t>()> waiting;
  /// The user of a run, if known: processes of other users do not belong to it.
  std::function<std::optional<uid_t>(std::string_view run_id)> owner;
  /// The whole tree of the wanted run is to end, including the runs started in it: a onelane
  /// process then protects what is below it only if it may be the supervisor of that run.
  bool whole_tree = false;
  /// The processes that their runs have recorded as kept; called once per scan. Files they open
  /// later do not make them stragglers.
  std::function<std::vector<WrittenDown>()> written_down;
  /// The traits of a run. Without them, sorting errs on the side of keeping: any regular file as
  /// stdio counts as a log of the process's own, any session as one of its own.
  std::function<std::optional<RunTraits>(std::string_view run_id)> traits;
  KeepList keep;
  /// Why the processes are looked at: spared ones are kept, others are orphans.
  Occasion occasion = Occasion::RunEnd;
};

/// The result of one scan. Each process is named by pid and start time; a snapshot.
struct OrphanScan {
  std::vector<Orphan> orphans;  ///< With all their descendants, even those without a marker.
  std::vector<Orphan> kept;     ///< Left running on purpose; without their descendants.
};

/// Looks for orphans repeatedly, reading the environment of a process only while it is new.
///
/// Misses a process that cleared its environment before it was seen, and one of another user whose
/// environment cannot be read. Never reports the calling process, its ancestors, or kept processes
/// and their descendants. A process that was an orphan once stays a candidate, even when its marked
/// parent has ended. One thread; a scan blocks only for /proc, and costs one listing of it when
/// there are no new processes.
class OrphanWatch {
 public:
  explicit OrphanWatch(OrphanRules rules) : rules_{std::move(rules)} {}
  [[nodiscard]] OrphanScan scan();
  /// Number of environments read so far, for tests.
  [[nodiscard]] std::size_t environments_read() const noexcept { return reads_; }

 private:
  friend class OrphanJudge;
  /// What is remembered about a process.
  struct Seen {
    std::uint64_t inode = 0;
    std::uint64_t scan = 0;  ///< When it was listed last.
    int looks = 0;           ///< Number of counted looks at its environment that found no marker.
    std::chrono::nanoseconds looked{};  ///< Time of the last such look.
    sys::ProcessId id;                  ///< Set for a marked process.
    pid_t executor = 0;                 ///< Its supervisor, according to its environment.
    std::vector<std::string> runs;      ///< From the marker, outermost first; empty without one.
    bool is_marked = false;             ///< `runs` comes from its own marker, not from our search.
  };
  void list();
  void read_marker(pid_t pid, Seen& seen);

  OrphanRules rules_;
  std::unordered_map<pid_t, Seen> seen_;
  std::uint64_t scans_ = 0;
  std::size_t reads_ = 0;
};

/// Ends the orphans of `runs` that `watch` finds, and processes that they fork meanwhile: TERM,
/// KILL after `grace`, until two scans are empty. Blocks for at most `grace` plus ten seconds.
Ended end_orphans(OrphanWatch& watch, std::span<const std::string> runs,
                  std::chrono::milliseconds grace);

}  // namespace onelane::process
