#include "multicall/context/index_lock.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "core/sys/clock.hpp"
#include "shims/tables.hpp"

namespace onelane::multicall {
namespace {

constexpr std::time_t kFreshSeconds = 10;

bool is_fresh(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && ::time(nullptr) - info.st_mtime < kFreshSeconds;
}

std::string lock_path(const std::string& git_dir) {
  return git_dir + "/" + std::string{shims::index_lock_name()};
}

bool has_open(pid_t pid, const struct stat& file) {
  const std::string directory = "/proc/" + std::to_string(pid) + "/fd";
  std::error_code error;
  // Not a range-for, whose increment throws if the process ends meanwhile.
  for (std::filesystem::directory_iterator at{directory, error}, end; !error && at != end;
       at.increment(error)) {
    struct stat info {};
    if (::stat(at->path().c_str(), &info) == 0 && info.st_ino == file.st_ino &&
        info.st_dev == file.st_dev) {
      return true;
    }
  }
  return false;
}

/// The first pending signal that ends a process by default; signals that do not are dropped.
int ending_signal(const process::Signals& signals) {
  process::Signals::Arrived arrived;
  while (signals.next_noticed(arrived)) {
    if (arrived.signal != SIGCHLD && arrived.signal != SIGCONT && arrived.signal != SIGWINCH &&
        arrived.signal != SIGTSTP && arrived.signal != SIGTTIN && arrived.signal != SIGTTOU) {
      return arrived.signal;
    }
  }
  return 0;
}

}  // namespace

int wait_for_index_lock(const std::string& git_dir, std::chrono::milliseconds limit,
                        const process::Signals& signals) {
  const std::string path = lock_path(git_dir);
  if (!is_fresh(path)) {
    return 0;
  }
  const sys::FileDescriptor watch = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (watch.is_open()) {
    (void)::inotify_add_watch(watch.get(), git_dir.c_str(), IN_DELETE | IN_MOVED_FROM);
  }
  const auto deadline = sys::monotonic_time() + limit;
  while (is_fresh(path)) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - sys::monotonic_time()).count();
    if (left <= 0) {
      return 0;
    }
    pollfd polled[2] = {{watch.get(), POLLIN, 0}, {signals.fd(), POLLIN, 0}};
    (void)::poll(polled, 2, static_cast<int>(std::min<long>(left, 1000)));
    if (const int signal = ending_signal(signals)) {
      return signal;
    }
    alignas(inotify_event) std::array<char, 4096> events;
    while (::read(watch.get(), events.data(), events.size()) > 0) {
    }
  }
  return 0;
}

std::optional<LockOwner> find_index_lock_owner(const std::string& git_dir,
                                               std::span<const sys::ProcessStat> members) {
  struct stat lock {};
  if (git_dir.empty() || ::lstat(lock_path(git_dir).c_str(), &lock) != 0) {
    return std::nullopt;
  }
  const sys::ProcessStat* only = nullptr;
  std::size_t count = 0;
  for (const sys::ProcessStat& member : members) {
    if (std::string_view{member.name.data()} != "git") {
      continue;
    }
    only = &member;
    if (has_open(member.id.pid, lock)) {
      count = 1;
      break;
    }
    ++count;
  }
  return count == 1 ? std::optional{LockOwner{only->id.pid, sys::command_line(only->id.pid, 60)}}
                    : std::nullopt;
}

LockSeen see_index_lock(const std::string& git_dir) {
  struct stat lock {};
  if (git_dir.empty() || ::lstat(lock_path(git_dir).c_str(), &lock) != 0) {
    return {};
  }
  return {lock.st_dev, lock.st_ino, lock.st_ctim.tv_sec, lock.st_ctim.tv_nsec};
}

std::optional<std::string> left_index_lock(const std::string& git_dir,
                                           const std::optional<LockOwner>& owner,
                                           const LockSeen& before) {
  const LockSeen now = see_index_lock(git_dir);
  if (now == LockSeen{} || now == before) {
    return std::nullopt;
  }
  const std::string path = lock_path(git_dir);
  const std::string by =
      owner ? "was left by " + owner->command + " (pid " + std::to_string(owner->pid) + ")"
            : std::string{"was made during this run and is still there"};
  return path + " " + by + "; when no other git is at work here, remove it: rm '" + path + "'";
}

}  // namespace onelane::multicall
