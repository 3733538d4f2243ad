#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/guard/own_groups.hpp"

namespace onelane::guard {

/// The files that say where the caller is; tests hand in their own.
struct ProcFiles {
  std::string mountinfo = "/proc/self/mountinfo";
  std::string self_cgroup = "/proc/self/cgroup";
};

/// The control group of one run: a child, named `onelane-<run id>`, of the group that the caller
/// is in, so that every limit above still applies and ending the caller's group ends the run
/// with it. For accounting only: nothing is limited. Found by trying, in the v2 hierarchy and in
/// the v1 memory hierarchy (cgroups(7)); where neither allows it there is no group, and the run
/// is seen through /proc alone.
///
/// A value that names directories: it holds no descriptor and removes nothing when destroyed, so a
/// forked guardian has it too. A group that another process has removed answers every question with
/// "no".
class Cgroup {
 public:
  /// Makes the group, empty. No value when no hierarchy allows it, when the group is
  /// there already, or when `run_id` holds anything but letters, digits, '-', '_' and '.'.
  [[nodiscard]] static std::optional<Cgroup> make(std::string_view run_id,
                                                  const ProcFiles& files = {});

  /// The group that a run with this id has made beside us; nothing when there is none.
  [[nodiscard]] static std::optional<Cgroup> find(std::string_view run_id,
                                                  const ProcFiles& files = {});

  /// Moves a process with all its threads from the caller's group into this one, in each
  /// hierarchy. True when it is inside afterwards. One that has a group of its own (a scope, a
  /// container, a nested run's) is left there: false. What it has allocated before stays charged
  /// to the caller's group; children that it has already are not moved.
  ///
  /// Blocks for up to about 20 ms when no process on the machine was moved lately: the
  /// kernel waits for an RCU grace period. Allocates nothing: a child may add itself between fork
  /// and exec.
  bool add(pid_t pid) const noexcept;

  /// Moves a member back to the caller's group: a daemon that is kept, before kill_all(). False
  /// when it is not a member. Blocks as add() does, allocates nothing.
  bool give_back(pid_t pid) const noexcept;

  /// Adds those that are not inside yet; for each look, because a process may fork between being
  /// seen and being moved. How many were added.
  std::size_t add_missing(std::span<const pid_t> tree) const;

  /// Processes in this group and in all groups below it, sorted. Zombies are not among them.
  [[nodiscard]] std::vector<pid_t> members() const;

  /// Bytes of anonymous, shared and swapped memory that members were charged since they were
  /// added, those that have ended left out; page cache does not count. Exact only for what was
  /// added before it allocated. Nothing without a memory controller.
  [[nodiscard]] std::optional<std::uint64_t> memory() const;

  /// An upper bound of what memory() has been: the page cache is in it. Nothing without a
  /// memory controller, or before Linux 5.19 in v2.
  [[nodiscard]] std::optional<std::uint64_t> peak() const;

  /// Sends KILL to every member at once, including those that fork meanwhile (cgroup.kill). Does
  /// not wait. False where the kernel cannot (v1, before Linux 5.14): then the caller sweeps.
  bool kill_all() const noexcept;

  /// Sets the share of CPU that the run as a whole has beside each single process of the caller's
  /// group: 1 to 10000, where 100 is what one process has. False where the controller is not
  /// there; it is never switched on for others. In v1 this makes a group in the cpu hierarchy.
  bool set_cpu_weight(unsigned weight);

  /// Moves everything still inside back to the caller's group and removes this one, nested runs'
  /// groups below it included. For when what was ended has been reaped: until a process has given
  /// its memory back (half a second for 400 MB) it can neither be moved nor does it let the group
  /// go. A group that a member made below keeps its processes, and this one with them.
  ///
  /// Waits for 63 ms at most; on a machine where moving itself is slow it gives up after 1 s. True
  /// when nothing is left; what is, sweep_abandoned() removes later. In both cases the answer to
  /// every further question is "no".
  bool release();

  /// "v2 /path, v1 memory /path", for the log.
  [[nodiscard]] std::string describe() const;

 private:
  struct Group {
    Hierarchy hierarchy;
    std::string directory;
    std::string path;  ///< As /proc/PID/cgroup writes it.
    OwnGroup parent;   ///< Where the caller is, and what add() takes from.
  };

  Cgroup(OwnGroups own, std::string name) : own_{std::move(own)}, name_{std::move(name)} {}

  [[nodiscard]] Group group_in(Hierarchy hierarchy) const;
  [[nodiscard]] const Group* of(Hierarchy hierarchy) const noexcept;

  OwnGroups own_;
  std::string name_;
  std::vector<Group> groups_;  ///< The one that knows the members first.
};

/// Removes the empty groups of ours beside the caller's that a crashed supervisor has left behind.
/// One made less than `age` ago is left alone: its run may be about to start. How many went.
std::size_t sweep_abandoned(std::chrono::seconds age = std::chrono::seconds{60},
                            const ProcFiles& files = {});

}  // namespace onelane::guard
