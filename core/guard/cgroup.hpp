#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::guard {

/// The hierarchies a run's group may live in (cgroups(7)).
enum class Hierarchy { V2, V1Memory, V1Cpu };

/// "v2", "v1 memory" or "v1 cpu".
[[nodiscard]] std::string_view name_of(Hierarchy hierarchy) noexcept;

/// Where one process is in one hierarchy.
struct OwnGroup {
  std::string directory;  ///< Through a mount that shows it; empty when there is none.
  std::string path;       ///< As /proc/PID/cgroup writes it, relative to our cgroup namespace.
};

/// Where a process is in each hierarchy that may hold a run's group.
struct OwnGroups {
  OwnGroup v2;
  OwnGroup v1_memory;
  OwnGroup v1_cpu;
};

/// Finds the groups in the text of /proc/self/mountinfo and /proc/self/cgroup (proc(5)). Pure:
/// whether the directories exist and are writable is found out by trial.
///
/// A v1 hierarchy with cpuset, or with memory and cpu together, is left out: a new group there
/// would change more than the accounting.
[[nodiscard]] OwnGroups own_groups(std::string_view mountinfo, std::string_view self_cgroup);

/// The path in the line of /proc/PID/cgroup for `hierarchy`; empty without such a line. Points into
/// `cgroup_text`; allocates nothing.
[[nodiscard]] std::string_view path_in(std::string_view cgroup_text, Hierarchy hierarchy) noexcept;

/// The files that tell which group the caller is in; tests pass their own.
struct ProcFiles {
  std::string mountinfo = "/proc/self/mountinfo";
  std::string self_cgroup = "/proc/self/cgroup";
};

/// The control group of one run: a child, named `onelane-<run id>`, of the caller's group, so every
/// limit on the caller still applies, and ending the caller's group ends the run with it. Used for
/// accounting only; it limits nothing. Created by trial in the v2 hierarchy and in the v1 memory
/// hierarchy (cgroups(7)); where neither allows it there is no group and the run is observed
/// through /proc alone.
///
/// A value that names directories: it holds no descriptor and removes nothing when destroyed, so a
/// forked guardian can use its copy. Once another process has removed the group, every query
/// answers "no".
class Cgroup {
 public:
  /// Makes the group, empty. nullopt when no hierarchy allows it, when the group already exists, or
  /// when `run_id` has characters other than letters, digits, '-', '_' and '.'.
  [[nodiscard]] static std::optional<Cgroup> make(std::string_view run_id,
                                                  const ProcFiles& files = {});

  /// The existing group of the run with this id, below the caller's group; nullopt when there is
  /// none.
  [[nodiscard]] static std::optional<Cgroup> find(std::string_view run_id,
                                                  const ProcFiles& files = {});

  /// Moves a process with all its threads from the caller's group into this one, in each hierarchy.
  /// True when it is inside afterwards; false for a process in a group of its own (a scope, a
  /// container, a nested run), which stays there. Memory allocated before the move stays charged to
  /// the caller's group, and children that exist already are not moved.
  ///
  /// Blocks for up to about 20 ms when no process on the machine was moved lately: the kernel waits
  /// for an RCU grace period. Allocates nothing: a child may add itself between fork and exec.
  bool add(pid_t pid) const noexcept;

  /// Moves a member back to the caller's group; for daemons that are kept, before kill_all(). False
  /// when it is not a member. Blocks like add(), allocates nothing.
  bool give_back(pid_t pid) const noexcept;

  /// Adds the processes that are not inside yet and returns how many. Call it at each look, because
  /// a process may fork between being seen and being moved.
  std::size_t add_missing(std::span<const pid_t> tree) const;

  /// Processes in this group and in all groups below it, sorted. Zombies are not among them.
  [[nodiscard]] std::vector<pid_t> members() const;

  /// Bytes of anonymous, shared and swapped memory charged to members since they were added,
  /// without those that have ended and without page cache. Exact only for processes added before
  /// they allocated. nullopt without a memory controller.
  [[nodiscard]] std::optional<std::uint64_t> memory() const;

  /// An upper bound on the highest value of memory(): it includes the page cache. nullopt without a
  /// memory controller, or before Linux 5.19 in v2.
  [[nodiscard]] std::optional<std::uint64_t> peak() const;

  /// Sends KILL to every member at once, including processes that fork meanwhile (cgroup.kill).
  /// Does not wait. False where the kernel has no such file (v1, before Linux 5.14): the caller
  /// must sweep.
  bool kill_all() const noexcept;

  /// Sets the CPU weight of the whole run against each single process of the caller's group: 1 to
  /// 10000, where 100 is the weight of one process. False where the controller is not enabled; it
  /// is never enabled on behalf of others. In v1 this makes a group in the cpu hierarchy.
  bool set_cpu_weight(unsigned weight);

  /// Moves every process still inside back to the caller's group and removes this group, including
  /// those of nested runs below it. Call it once the ended processes have been reaped: until a
  /// process has freed its memory (half a second for 400 MB) it cannot be moved and keeps the group
  /// alive. A group that a member made below keeps its processes and, with them, this group.
  ///
  /// Waits 63 ms at most; gives up after 1 s on a machine where moving itself is slow. True when
  /// nothing is left; sweep_abandoned() removes the rest later. Afterwards every query answers
  /// "no".
  bool release();

  /// "v2 /path, v1 memory /path", for the log.
  [[nodiscard]] std::string describe() const;

 private:
  struct Group {
    Hierarchy hierarchy;
    std::string directory;
    std::string path;  ///< As /proc/PID/cgroup writes it.
    OwnGroup parent;   ///< The caller's group, from which add() takes processes.
  };

  Cgroup(OwnGroups own, std::string name) : own_{std::move(own)}, name_{std::move(name)} {}

  [[nodiscard]] Group group_in(Hierarchy hierarchy) const;
  [[nodiscard]] const Group* of(Hierarchy hierarchy) const noexcept;

  OwnGroups own_;
  std::string name_;
  std::vector<Group> groups_;  ///< The group that knows the members comes first.
};

/// Removes our empty groups next to the caller's that crashed supervisors left behind. Groups
/// younger than `age` are left alone: their runs may be about to start. Returns how many were
/// removed.
std::size_t sweep_abandoned(std::chrono::seconds age = std::chrono::seconds{60},
                            const ProcFiles& files = {});

}  // namespace onelane::guard
