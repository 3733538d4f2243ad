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
  std::string run_id;  ///< The innermost run of its marker that was asked for.
  Leftover sorted = Leftover::Straggler;
};

/// A process that a run has written down as kept.
struct WrittenDown {
  sys::ProcessId id;
  std::string run_id;
  /// The record proves that it is the run's, also where its environment no longer says so.
  bool is_proof = false;
};

/// What a scan asks its caller; each may be empty.
///
/// A run is live while one of these holds, and then nothing of it is an orphan:
///
///  - `live_runs` names it: its ticket's byte in the lane file is locked, by the supervisor or
///    by the guardian that clears away after it;
///  - a onelane process is above the process in /proc (a supervisor adopts whatever loses its
///    parent, so the processes of a live run cannot leave its tree), or the process that
///    SEQUENTIAL_EXECUTOR_PID names is;
///  - the line of ancestors begins at a process that entered our PID namespace from outside
///    and carries the id: the supervisor is out there, where we cannot look.
///
/// Where the line of ancestors cannot be read to its end nothing is decided, and nothing found.
struct OrphanRules {
  /// Ids of live runs. Asked once a scan, after the processes have been listed: a run that
  /// starts in between is then known before its processes are judged.
  std::function<std::vector<std::string>()> live_runs;
  /// Whether the orphans of this run are wanted; empty: of any run.
  std::function<bool(std::string_view run_id)> is_wanted;
  /// True for an executable of onelane: supervisors, guardians, canaries, waiting calls.
  std::function<bool(pid_t pid)> is_onelane;
  /// The user of a run, where it is known: processes of others are not its own.
  std::function<std::optional<uid_t>(std::string_view run_id)> owner;
  /// The whole tree of the wanted run is to end, with the runs that were started in it: a onelane
  /// is then a wall only where it may be the supervisor of that run.
  bool whole_tree = false;
  /// The processes that their runs have written down as kept; asked once a scan. What they open
  /// later makes them no stragglers.
  std::function<std::vector<WrittenDown>()> written_down;
  /// The traits of a run. Without them sorting errs on keeping: any regular file as stdio counts
  /// as a log of its own, any session as one of its own.
  std::function<std::optional<RunTraits>(std::string_view run_id)> traits;
  KeepList keep;
  /// What the processes are looked at for: who is spared is kept, who is not is an orphan.
  Occasion occasion = Occasion::RunEnd;
};

/// What one scan has found. Each process is named by pid and start time; a snapshot.
struct OrphanScan {
  std::vector<Orphan> orphans;  ///< With all their descendants, which may carry no marker.
  std::vector<Orphan> kept;     ///< Left running on purpose; without their descendants.
};

/// Looks for orphans again and again, reading the environment of a process only while it is new.
///
/// Not found: a process that has cleared its environment before anybody saw it, one of another
/// user whose environment we may not read. Never found: the calling process, its ancestors,
/// kept processes and their descendants. What was an orphan once stays a candidate, also when
/// its marked parent has ended. One thread; a scan blocks for /proc alone, and where nothing
/// is new costs one listing of it.
class OrphanWatch {
 public:
  explicit OrphanWatch(OrphanRules rules) : rules_{std::move(rules)} {}
  [[nodiscard]] OrphanScan scan();
  /// Environments read so far, for tests.
  [[nodiscard]] std::size_t environments_read() const noexcept { return reads_; }

 private:
  friend class OrphanJudge;
  /// What is remembered of a process.
  struct Seen {
    std::uint64_t inode = 0;
    std::uint64_t scan = 0;  ///< When it was listed last.
    int looks = 0;           ///< Times that count of reading its environment for nothing.
    std::chrono::nanoseconds looked{};  ///< The last of them.
    sys::ProcessId id;                  ///< Of a marked one.
    pid_t executor = 0;                 ///< Its supervisor, as the environment says.
    std::vector<std::string> runs;      ///< Of the marker, outermost first; empty: no marker.
    bool is_marked = false;             ///< `runs` is what its marker says, not what we found.
  };
  void list();
  void read_marker(pid_t pid, Seen& seen);

  OrphanRules rules_;
  std::unordered_map<pid_t, Seen> seen_;
  std::uint64_t scans_ = 0;
  std::size_t reads_ = 0;
};

/// Ends the orphans of `runs` that `watch` finds, and what they fork meanwhile: TERM, KILL from
/// `grace` on, until two scans are empty. Blocks at most `grace` plus ten seconds.
Ended end_orphans(OrphanWatch& watch, std::span<const std::string> runs,
                  std::chrono::milliseconds grace);

}  // namespace onelane::process
