#include "core/guard/rivals.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "core/sys/process.hpp"

namespace onelane::guard {
namespace {

std::uint64_t resident_below(pid_t pid) {
  std::uint64_t sum = 0;
  for (const sys::ProcessStat& process : sys::descendants_of(pid)) {
    sum += process.resident;
  }
  return sum;
}

}  // namespace

bool is_largest_run() {
  struct stat own {};
  if (::stat("/proc/self/exe", &own) != 0) {
    return true;
  }
  const pid_t self = ::getpid();
  const std::uint64_t ours = resident_below(self);
  return std::ranges::none_of(sys::all_pids(), [&](pid_t pid) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/exe", pid);
    struct stat other {};
    if (pid == self || ::stat(path, &other) != 0 || other.st_ino != own.st_ino ||
        other.st_dev != own.st_dev) {
      return false;
    }
    const std::uint64_t theirs = resident_below(pid);
    return theirs > ours || (theirs == ours && pid < self);
  });
}

}  // namespace onelane::guard
