// Finds the descendants of a process; process.cpp reads single processes.
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <unordered_map>

#include "core/sys/file_descriptor.hpp"
#include "core/sys/process.hpp"

namespace onelane::sys {
namespace {

/// Appends the pids in an open `children` file.
void append_children(int fd, std::vector<pid_t>& out) {
  char buffer[4096];
  long pid = 0;
  for (long got = 0; (got = read_up_to(fd, buffer, sizeof buffer)) > 0;) {
    for (long i = 0; i < got; ++i) {
      if (buffer[i] >= '0' && buffer[i] <= '9') {
        pid = pid * 10 + (buffer[i] - '0');
      } else if (pid != 0) {
        out.push_back(static_cast<pid_t>(pid));
        pid = 0;
      }
    }
  }
}

/// Appends the children of the first thread of `pid`; false when they cannot be read.
bool append_children_of_leader(pid_t pid, std::vector<pid_t>& out) {
  char path[96];
  std::snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  append_children(fd, out);
  ::close(fd);
  return true;
}

/// The `children` files need CONFIG_PROC_CHILDREN (proc(5)).
bool has_children_files() noexcept {
  static const bool known = ::access("/proc/thread-self/children", F_OK) == 0;
  return known;
}

std::vector<ProcessStat> descendants_by_scan(pid_t root) {
  std::vector<ProcessStat> all;
  for (const pid_t pid : all_pids()) {
    if (auto stat = read_stat(pid)) {
      all.push_back(*stat);
    }
  }
  std::unordered_multimap<pid_t, const ProcessStat*> by_parent;
  for (const auto& stat : all) {
    by_parent.emplace(stat.parent, &stat);
  }
  std::vector<ProcessStat> out;
  std::vector<pid_t> open{root};
  while (!open.empty() && out.size() <= all.size()) {
    const pid_t parent = open.back();
    open.pop_back();
    const auto [first, last] = by_parent.equal_range(parent);
    for (auto it = first; it != last; ++it) {
      out.push_back(*it->second);
      open.push_back(it->second->id.pid);
    }
  }
  return out;
}

}  // namespace

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> out;
  char path[96];
  if (!has_children_files()) {
    for (const pid_t other : all_pids()) {
      if (const auto stat = read_stat(other); stat && stat->parent == pid) {
        out.push_back(other);
      }
    }
    return out;
  }
  std::snprintf(path, sizeof path, "/proc/%d/task", pid);
  DIR* threads = ::opendir(path);
  if (threads == nullptr) {
    return out;  // gone: it has no children left
  }
  while (const dirent* entry = ::readdir(threads)) {
    if (entry->d_name[0] != '.') {
      std::snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", pid, entry->d_name);
      // A thread that has just ended has none.
      if (const int fd = ::open(path, O_RDONLY | O_CLOEXEC); fd >= 0) {
        append_children(fd, out);
        ::close(fd);
      }
    }
  }
  ::closedir(threads);
  return out;
}

std::vector<pid_t> own_children() {
  std::vector<pid_t> out;
  const int fd = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return children_of(::getpid());
  }
  append_children(fd, out);
  ::close(fd);
  return out;
}

std::vector<ProcessStat> descendants_of(pid_t root) {
  if (!has_children_files()) {
    return descendants_by_scan(root);
  }
  std::vector<ProcessStat> out;
  std::vector<pid_t> children = children_of(root);
  for (std::size_t next = 0;; ++next) {
    for (const pid_t child : children) {
      if (auto stat = read_stat(child)) {
        out.push_back(*stat);
      }
    }
    if (next == out.size()) {
      return out;
    }
    children.clear();
    // Nine in ten processes have one thread, whose list can be read without reading a directory.
    const ProcessStat parent = out[next];
    if (parent.threads != 1 || !append_children_of_leader(parent.id.pid, children)) {
      children = children_of(parent.id.pid);
    }
  }
}

}  // namespace onelane::sys
