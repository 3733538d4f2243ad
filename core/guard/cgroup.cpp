#include "core/guard/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdio>
#include <thread>

#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::guard {
namespace {

/// Prefix of our group directories. Groups without it are never touched.
constexpr std::string_view kGroupPrefix = "onelane-";
/// Room for cgroup.procs with 500,000 processes.
constexpr std::size_t kLongestFile = std::size_t{4} << 20;
/// Each pause of a release is twice as long as the one before: 63 ms in total.
constexpr std::chrono::milliseconds kLastPause{32};
/// For a machine so busy that moving a process takes long.
constexpr std::chrono::seconds kLongestRelease{1};

bool remove_group(const std::string& directory) noexcept {
  return ::rmdir(directory.c_str()) == 0 || errno == ENOENT;
}

bool was_made_within(const std::string& directory, std::chrono::seconds age) noexcept {
  // The kernel sets the time when the directory is first looked up, never before it was created.
  struct stat info {};
  return ::stat(directory.c_str(), &info) != 0 ||
         sys::wall_seconds() - info.st_ctim.tv_sec < age.count();
}

/// Writes one value to the existing file `leaf` of a group. False with errno set. Allocates
/// nothing, so it may be called between fork and exec.
bool write_group_file(const std::string& directory, const char* leaf,
                      std::string_view value) noexcept {
  char path[PATH_MAX];
  const int length = std::snprintf(path, sizeof path, "%s/%s", directory.c_str(), leaf);
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof path) {
    errno = ENAMETOOLONG;
    return false;
  }
  // Not lifted: it is closed again before any other code can see the number.
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  const bool is_written = sys::write_all(fd, value);
  const int saved = errno;
  ::close(fd);
  errno = saved;
  return is_written;
}

/// A whole file of a group, whatever its length; empty when it does not exist.
std::string read_group_file(const std::string& directory, const char* leaf) {
  return sys::read_small_file((directory + "/" + leaf).c_str(), kLongestFile).value_or("");
}

/// A file with one number; nullopt when it does not exist or holds a word.
std::optional<std::uint64_t> read_group_number(const std::string& directory, const char* leaf) {
  const std::string text = read_group_file(directory, leaf);
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} ? std::optional{value} : std::nullopt;
}

/// The number after `key` in lines of the form "key number", as in memory.stat.
std::optional<std::uint64_t> number_of(std::string_view text, std::string_view key) noexcept {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ') {
      std::uint64_t value = 0;
      const auto result =
          std::from_chars(line.data() + key.size() + 1, line.data() + line.size(), value);
      return result.ec == std::errc{} ? std::optional{value} : std::nullopt;
    }
  }
  return std::nullopt;
}

/// Moves a process with all its threads to a group. False with errno set (ESRCH: gone).
/// Allocates nothing.
bool move_process(pid_t pid, const std::string& to) noexcept {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, pid).ptr;
  return write_group_file(to, "cgroup.procs", {digits, static_cast<std::size_t>(end - digits)});
}

/// The processes in a group, without groups below it. Processes in PID namespaces we cannot see and
/// zombies are not listed.
std::vector<pid_t> processes_in(const std::string& directory) {
  std::vector<pid_t> out;
  const std::string text = read_group_file(directory, "cgroup.procs");
  const char* at = text.data();
  const char* const end = at + text.size();
  for (pid_t pid = 0; at < end; ++at) {
    const auto result = std::from_chars(at, end, pid);
    if (result.ec != std::errc{}) {
      break;
    }
    at = result.ptr;
    if (pid > 0) {
      out.push_back(pid);
    }
  }
  return out;
}

/// The directories of the groups directly below whose name begins with `prefix`.
std::vector<std::string> groups_below(const std::string& directory, std::string_view prefix) {
  std::vector<std::string> out;
  struct stat info {};
  // Two links: the kernel counts one more for each group below (cheaper than reading thirty names).
  if (::stat(directory.c_str(), &info) != 0 || info.st_nlink == 2) {
    return out;
  }
  DIR* open = ::opendir(directory.c_str());
  if (open == nullptr) {
    return out;
  }
  while (const dirent* entry = ::readdir(open)) {
    const std::string_view name{entry->d_name};
    if (entry->d_type == DT_DIR && name != "." && name != ".." && name.starts_with(prefix)) {
      out.push_back(directory + "/" + entry->d_name);
    }
  }
  ::closedir(open);
  return out;
}

/// Moves every process in a group, and in our groups below it, to the group `to` and removes these
/// groups, deepest first. Moves no process after `deadline` (sys::monotonic_time). True when the
/// group is gone. It stays while a process in it forks or exits, or while another program's group
/// is below it, which is left alone.
bool try_to_dissolve(const std::string& directory, const std::string& to,
                     std::chrono::nanoseconds deadline) {
  for (const std::string& below : groups_below(directory, kGroupPrefix)) {
    (void)try_to_dissolve(below, to, deadline);
  }
  for (const pid_t pid : processes_in(directory)) {
    if (sys::monotonic_time() >= deadline) {
      return false;
    }
    (void)move_process(pid, to);
  }
  return remove_group(directory);
}

/// Removes a group of ours and our groups below it when all are empty and none was made less than
/// `age` ago. True when it is gone.
bool remove_if_abandoned(const std::string& directory, std::chrono::seconds age) {
  if (was_made_within(directory, age)) {
    return false;
  }
  if (remove_group(directory)) {
    return true;
  }
  // In use: the empty groups below belong to runs that are about to start.
  if (!processes_in(directory).empty()) {
    return false;
  }
  for (const std::string& below : groups_below(directory, kGroupPrefix)) {
    (void)remove_if_abandoned(below, age);
  }
  return remove_group(directory);
}

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

/// Without a hierarchical parent (the default before Linux 5.11) the parent's limits would not
/// apply to a new group.
bool passes_limits_down(Hierarchy hierarchy, const std::string& parent) {
  return hierarchy != Hierarchy::V1Memory || read_group_number(parent, "memory.use_hierarchy") == 1;
}

/// Enables memory accounting for groups below `parent`, but only in the real root, the one group
/// without cgroup.type. Elsewhere the caller's own processes forbid it (EBUSY), and where they do
/// not, a threaded controller would turn the parent into a threaded root that its other children
/// cannot join.
void try_to_charge_memory(const std::string& directory, const std::string& parent) {
  if (!has_file(directory, "memory.stat") && !has_file(parent, "cgroup.type")) {
    (void)write_group_file(parent, "cgroup.subtree_control", "+memory");
  }
}

/// Makes one directory and checks that processes can join it as a group. False with errno set;
/// EEXIST when it exists.
bool make_group(Hierarchy hierarchy, const std::string& directory, const std::string& parent) {
  // v2 also asks for write permission on the group that a process leaves.
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

/// Removes the text up to and including `end` from the front of `rest` and returns it without
/// `end`.
std::string_view take(std::string_view& rest, char end) noexcept {
  const std::size_t at = rest.find(end);
  const std::string_view out = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return out;
}

/// True when the comma-separated `list` names `word`.
bool lists(std::string_view list, std::string_view word) noexcept {
  while (!list.empty()) {
    if (take(list, ',') == word) {
      return true;
    }
  }
  return false;
}

bool is_octal(std::string_view digits) noexcept {
  return digits.size() == 3 && digits.find_first_not_of("01234567") == std::string_view::npos;
}

/// mountinfo writes space, tab, newline and backslash as \040, \011, \012 and \134 (proc(5)).
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && is_octal(text.substr(i + 1, 3))) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// The parts of a mountinfo line that matter here.
struct Mount {
  std::string root;  ///< Which group of the hierarchy the mount point shows.
  std::string point;
  std::string_view type;
  std::string_view options;  ///< Of the file system; for v1 they include the controllers.
};

Mount parse_mount(std::string_view line) {
  Mount out;
  for (int skipped = 0; skipped < 3; ++skipped) {
    (void)take(line, ' ');
  }
  out.root = unescape(take(line, ' '));
  out.point = unescape(take(line, ' '));
  while (!line.empty() && take(line, ' ') != "-") {
    // mount options and any number of optional fields
  }
  out.type = take(line, ' ');
  (void)take(line, ' ');
  out.options = line;
  return out;
}

bool belongs_to(const Mount& mount, Hierarchy hierarchy) noexcept {
  if (hierarchy == Hierarchy::V2 || mount.type != "cgroup") {
    return hierarchy == Hierarchy::V2 && mount.type == "cgroup2";
  }
  const bool is_memory = hierarchy == Hierarchy::V1Memory;
  return lists(mount.options, is_memory ? "memory" : "cpu") &&
         !lists(mount.options, is_memory ? "cpu" : "memory") && !lists(mount.options, "cpuset");
}

/// The directory that shows the group `path` through `mount`; empty when the mount shows another
/// part of the hierarchy.
std::string directory_of(const Mount& mount, std::string_view path) {
  // A path that starts with "/.." is above the root of our cgroup namespace (cgroup_namespaces(7)).
  const bool is_all = mount.root == "/";
  if (!path.starts_with('/') || path.starts_with("/..") ||
      (!is_all && !path.starts_with(mount.root))) {
    return {};
  }
  std::string_view below = is_all ? path : path.substr(mount.root.size());
  if (below == "/") {
    below = {};
  }
  return below.empty() || below.starts_with('/') ? mount.point + std::string{below} : std::string{};
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
  // 100 (cgroup v2) and 1024 (v1's cpu.shares) are the weight of one process of normal priority.
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
    // A group that cannot be removed must not keep the others.
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

std::string_view name_of(Hierarchy hierarchy) noexcept {
  constexpr std::array<std::string_view, 3> kNames{"v2", "v1 memory", "v1 cpu"};
  return kNames[static_cast<std::size_t>(hierarchy)];
}

OwnGroups own_groups(std::string_view mountinfo, std::string_view self_cgroup) {
  OwnGroups out;
  out.v2.path = path_in(self_cgroup, Hierarchy::V2);
  out.v1_memory.path = path_in(self_cgroup, Hierarchy::V1Memory);
  out.v1_cpu.path = path_in(self_cgroup, Hierarchy::V1Cpu);
  while (!mountinfo.empty()) {
    const std::string_view line = take(mountinfo, '\n');
    if (line.find(" - cgroup") == std::string_view::npos) {
      continue;  // skips most lines on a machine with containers
    }
    const Mount mount = parse_mount(line);
    const auto look = [&mount](OwnGroup& group, Hierarchy hierarchy) {
      if (belongs_to(mount, hierarchy)) {
        // The last one wins: a later mount on the same point hides the earlier one.
        if (auto directory = directory_of(mount, group.path); !directory.empty()) {
          group.directory = std::move(directory);
        }
      }
    };
    look(out.v2, Hierarchy::V2);
    look(out.v1_memory, Hierarchy::V1Memory);
    look(out.v1_cpu, Hierarchy::V1Cpu);
  }
  return out;
}

std::string_view path_in(std::string_view cgroup_text, Hierarchy hierarchy) noexcept {
  while (!cgroup_text.empty()) {
    std::string_view line = take(cgroup_text, '\n');
    const std::string_view id = take(line, ':');
    const std::string_view controllers = take(line, ':');
    const bool is_it =
        hierarchy == Hierarchy::V2
            ? id == "0" && controllers.empty()
            : lists(controllers, hierarchy == Hierarchy::V1Memory ? "memory" : "cpu");
    if (is_it) {
      return line;
    }
  }
  return {};
}

}  // namespace onelane::guard
