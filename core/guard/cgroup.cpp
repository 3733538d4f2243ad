#include "core/guard/cgroup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "core/guard/group_files.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::guard {
namespace {

/// Each pause of a release is twice as long as the one before: 63 ms in all.
constexpr std::chrono::milliseconds kLastPause{32};
/// On a machine so busy that moving takes its time.
constexpr std::chrono::seconds kLongestRelease{1};

bool is_run_id(std::string_view text) noexcept {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of(kAllowed) == std::string_view::npos;
}

OwnGroups read_own_groups(const ProcFiles& files) {
  constexpr std::size_t kLongest = std::size_t{4} << 20;  // mountinfo of a host of containers
  const auto cgroup = sys::read_small_file(files.self_cgroup.c_str(), kLongest);
  const auto mountinfo = sys::read_small_file(files.mountinfo.c_str(), kLongest);
  return cgroup && mountinfo ? own_groups(*mountinfo, *cgroup) : OwnGroups{};
}

bool has_file(const std::string& directory, const char* leaf, int how = F_OK) noexcept {
  return ::faccessat(AT_FDCWD, (directory + "/" + leaf).c_str(), how, AT_EACCESS) == 0;
}

/// Without a hierarchical parent (the default before Linux 5.11) the limits above would end at a
/// new group.
bool passes_limits_down(Hierarchy hierarchy, const std::string& parent) {
  return hierarchy != Hierarchy::V1Memory || read_group_number(parent, "memory.use_hierarchy") == 1;
}

/// Asks for the memory charges of groups below `parent`. Only in the real root, which alone has no
/// cgroup.type: anywhere else the caller's own processes forbid it (EBUSY), and a controller that
/// is not refused would turn the parent into a root of threads, closed to its other children.
void try_to_charge_memory(const std::string& directory, const std::string& parent) {
  if (!has_file(directory, "memory.stat") && !has_file(parent, "cgroup.type")) {
    (void)write_group_file(parent, "cgroup.subtree_control", "+memory");
  }
}

/// Makes one directory and sees whether it became a group that processes can join. False with
/// errno set, EEXIST when it was there already.
bool make_group(Hierarchy hierarchy, const std::string& directory, const std::string& parent) {
  // v2 asks for write permission on the group that a process leaves, too.
  if (parent.empty() || !passes_limits_down(hierarchy, parent) ||
      !has_file(parent, "cgroup.procs", W_OK) || ::mkdir(directory.c_str(), 0755) != 0) {
    return false;
  }
  const bool can_join =
      has_file(directory, "cgroup.procs", W_OK) &&
      (hierarchy != Hierarchy::V2 || read_group_file(directory, "cgroup.type") == "domain\n");
  if (!can_join) {
    ::rmdir(directory.c_str());
    errno = ENOTSUP;
    return false;
  }
  if (hierarchy == Hierarchy::V2) {
    try_to_charge_memory(directory, parent);
  }
  return true;
}

/// /proc/PID/cgroup, held in `buffer`; empty when the process is gone.
std::string_view read_groups_of(pid_t pid, std::span<char> buffer) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);  // not lifted: closed at once
  if (fd < 0) {
    return {};
  }
  const long got = sys::read_up_to(fd, buffer.data(), buffer.size());
  ::close(fd);
  return {buffer.data(), static_cast<std::size_t>(std::max(got, 0L))};
}

bool is_below(std::string_view path, std::string_view group) noexcept {
  return path.starts_with(group) && (path.size() == group.size() || path[group.size()] == '/');
}

void append_members(const std::string& directory, std::vector<pid_t>& out) {
  const auto here = processes_in(directory);
  out.insert(out.end(), here.begin(), here.end());
  for (const std::string& below : groups_below(directory, "")) {
    append_members(below, out);
  }
}

}  // namespace

Cgroup::Group Cgroup::group_in(Hierarchy hierarchy) const {
  const OwnGroup& parent = hierarchy == Hierarchy::V2         ? own_.v2
                           : hierarchy == Hierarchy::V1Memory ? own_.v1_memory
                                                              : own_.v1_cpu;
  return {hierarchy, parent.directory + "/" + name_,
          (parent.path == "/" ? "" : parent.path) + "/" + name_, parent};
}

const Cgroup::Group* Cgroup::of(Hierarchy hierarchy) const noexcept {
  const auto found = std::ranges::find(groups_, hierarchy, &Group::hierarchy);
  return found == groups_.end() ? nullptr : &*found;
}

std::optional<Cgroup> Cgroup::make(std::string_view run_id, const ProcFiles& files) {
  if (!is_run_id(run_id)) {
    return std::nullopt;
  }
  Cgroup out{read_own_groups(files), std::string{kGroupPrefix} + std::string{run_id}};
  for (const Hierarchy hierarchy : {Hierarchy::V2, Hierarchy::V1Memory}) {
    Group group = out.group_in(hierarchy);
    errno = 0;
    if (make_group(hierarchy, group.directory, group.parent.directory)) {
      out.groups_.push_back(std::move(group));
    } else if (errno == EEXIST) {
      out.release();
      return std::nullopt;
    }
  }
  return out.groups_.empty() ? std::nullopt : std::optional{std::move(out)};
}

std::optional<Cgroup> Cgroup::find(std::string_view run_id, const ProcFiles& files) {
  if (!is_run_id(run_id)) {
    return std::nullopt;
  }
  Cgroup out{read_own_groups(files), std::string{kGroupPrefix} + std::string{run_id}};
  for (const Hierarchy hierarchy : {Hierarchy::V2, Hierarchy::V1Memory, Hierarchy::V1Cpu}) {
    Group group = out.group_in(hierarchy);
    if (!group.parent.directory.empty() && has_file(group.directory, "cgroup.procs")) {
      out.groups_.push_back(std::move(group));
    }
  }
  return out.groups_.empty() ? std::nullopt : std::optional{std::move(out)};
}

bool Cgroup::add(pid_t pid) const noexcept {
  std::array<char, 8192> buffer;
  const std::string_view text = read_groups_of(pid, buffer);
  bool is_inside = !groups_.empty();
  for (const Group& group : groups_) {
    const std::string_view at = path_in(text, group.hierarchy);
    is_inside &= !at.empty() && (is_below(at, group.path) ||
                                 (at == group.parent.path && move_process(pid, group.directory)));
  }
  return is_inside;
}

bool Cgroup::give_back(pid_t pid) const noexcept {
  std::array<char, 8192> buffer;
  const std::string_view text = read_groups_of(pid, buffer);
  bool is_back = !groups_.empty();
  for (const Group& group : groups_) {
    is_back &= is_below(path_in(text, group.hierarchy), group.path) &&
               move_process(pid, group.parent.directory);
  }
  return is_back;
}

std::size_t Cgroup::add_missing(std::span<const pid_t> tree) const {
  const std::vector<pid_t> inside = members();
  return static_cast<std::size_t>(std::ranges::count_if(
      tree, [&](pid_t pid) { return !std::ranges::binary_search(inside, pid) && add(pid); }));
}

std::vector<pid_t> Cgroup::members() const {
  std::vector<pid_t> out;
  if (!groups_.empty()) {
    append_members(groups_.front().directory, out);
    std::ranges::sort(out);
  }
  return out;
}

std::optional<std::uint64_t> Cgroup::memory() const {
  const Group* v1 = of(Hierarchy::V1Memory);
  const Group* group = v1 != nullptr ? v1 : of(Hierarchy::V2);
  if (group == nullptr) {
    return std::nullopt;
  }
  const std::string stat = read_group_file(group->directory, "memory.stat");
  const auto anonymous = number_of(stat, v1 != nullptr ? "total_rss" : "anon");
  if (!anonymous) {
    return std::nullopt;
  }
  const auto shared = number_of(stat, v1 != nullptr ? "total_shmem" : "shmem");
  const auto swapped = v1 != nullptr ? number_of(stat, "total_swap")
                                     : read_group_number(group->directory, "memory.swap.current");
  return *anonymous + shared.value_or(0) + swapped.value_or(0);
}

std::optional<std::uint64_t> Cgroup::peak() const {
  if (const Group* v1 = of(Hierarchy::V1Memory)) {
    return read_group_number(v1->directory, "memory.max_usage_in_bytes");
  }
  const Group* v2 = of(Hierarchy::V2);
  return v2 != nullptr ? read_group_number(v2->directory, "memory.peak") : std::nullopt;
}

bool Cgroup::kill_all() const noexcept {
  const Group* v2 = of(Hierarchy::V2);
  return v2 != nullptr && write_group_file(v2->directory, "cgroup.kill", "1");
}

bool Cgroup::set_cpu_weight(unsigned weight) {
  if (weight < 1 || weight > 10000) {
    return false;
  }
  const Group* v2 = of(Hierarchy::V2);
  if (v2 != nullptr && write_group_file(v2->directory, "cpu.weight", std::to_string(weight))) {
    return true;
  }
  const bool is_new = of(Hierarchy::V1Cpu) == nullptr;
  const Group group = group_in(Hierarchy::V1Cpu);
  if (groups_.empty() ||
      (is_new && !make_group(Hierarchy::V1Cpu, group.directory, group.parent.directory))) {
    return false;
  }
  // 100 and 1024 are what one process of normal priority weighs (cgroup-v2, v1's cpu.shares).
  const bool is_set = write_group_file(group.directory, "cpu.shares",
                                       std::to_string(std::max(2U, weight * 1024 / 100)));
  if (is_new && !is_set) {
    ::rmdir(group.directory.c_str());
  } else if (is_new) {
    groups_.push_back(group);
    for (const pid_t pid : members()) {
      (void)add(pid);
    }
  }
  return is_set;
}

bool Cgroup::release() {
  const auto deadline = sys::monotonic_time() + kLongestRelease;
  for (std::chrono::milliseconds pause{1};; pause *= 2) {
    // One that cannot go must not keep the others.
    std::erase_if(groups_, [deadline](const Group& group) {
      return try_to_dissolve(group.directory, group.parent.directory, deadline);
    });
    if (groups_.empty() || pause > kLastPause || sys::monotonic_time() >= deadline) {
      break;
    }
    std::this_thread::sleep_for(pause);
  }
  const bool is_gone = groups_.empty();
  groups_.clear();
  return is_gone;
}

std::string Cgroup::describe() const {
  std::string out;
  for (const Group& group : groups_) {
    out += (out.empty() ? "" : ", ") + std::string{name_of(group.hierarchy)} + " " + group.path;
  }
  return out;
}

std::size_t sweep_abandoned(std::chrono::seconds age, const ProcFiles& files) {
  const OwnGroups own = read_own_groups(files);
  std::size_t gone = 0;
  for (const OwnGroup* group : {&own.v2, &own.v1_memory, &own.v1_cpu}) {
    if (!group->directory.empty()) {
      for (const std::string& below : groups_below(group->directory, kGroupPrefix)) {
        gone += remove_if_abandoned(below, age) ? 1U : 0U;
      }
    }
  }
  return gone;
}

}  // namespace onelane::guard
