#pragma once

#include <string>
#include <string_view>

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

}  // namespace onelane::guard
