#include "core/sys/process_room.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "core/sys/process.hpp"

namespace onelane::sys {
namespace {

constexpr rlim_t kLow = 256;

std::uint64_t threads_of(uid_t user) {
  std::uint64_t count = 0;
  for (const pid_t pid : all_pids()) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d", pid);
    struct stat info {};
    if (::stat(path, &info) == 0 && info.st_uid == user) {
      const auto stat = read_stat(pid);
      count += stat && stat->threads > 0 ? static_cast<std::uint64_t>(stat->threads) : 1;
    }
  }
  return count;
}

}  // namespace

std::optional<std::uint64_t> process_room() {
  const uid_t user = ::getuid();
  rlimit limit{};
  if (user == 0 || ::getrlimit(RLIMIT_NPROC, &limit) != 0 || limit.rlim_cur >= kLow) {
    return std::nullopt;  // RLIM_INFINITY is the highest number
  }
  const std::uint64_t used = threads_of(user);
  return limit.rlim_cur > used ? limit.rlim_cur - used : 0;
}

}  // namespace onelane::sys
