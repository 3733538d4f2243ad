#include "multicall/view/follow_runs.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "multicall/view/ended_run.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kSafety{30'000};    ///< In case an event is lost; no answer depends on it.
constexpr milliseconds kUnwatched{1'000};  ///< If no event comes: another container, a guardian.

}  // namespace

Changes::Changes(const LanesHere& lanes, std::string log_directory)
    : state_directory_{lanes.project.state_dir},
      log_directory_{std::move(log_directory)},
      watch_{sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK))} {
  add_watches();
}

void Changes::add_watches() {
  constexpr unsigned kComing = IN_CREATE | IN_MOVED_TO | IN_MASK_ADD;
  constexpr unsigned kAll = kComing | IN_MODIFY | IN_ATTRIB;
  for (const std::string& path : {state_directory_, state_directory_ + "/git", log_directory_}) {
    (void)::inotify_add_watch(watch_.get(), path.c_str(), kAll | IN_ONLYDIR);
  }
  // While the log directory is missing, its nearest existing parent shows when it is created.
  std::string path = log_directory_;
  struct stat info {};
  while (path.size() > 1 && ::stat(path.c_str(), &info) != 0) {
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    (void)::inotify_add_watch(watch_.get(), path.c_str(), kComing | IN_ONLYDIR);
  }
}

void Changes::follow(const sys::ProcessId& supervisor) {
  if (supervisor.pid <= 0 || supervisor == supervisor_) {
    return;
  }
  supervisor_ = supervisor;
  pidfd_ = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, supervisor.pid, 0)));
  if (pidfd_.is_open() && !sys::exists(supervisor)) {
    pidfd_.reset();
  }
}

bool Changes::wait(milliseconds limit) {
  limit = watch_.is_open() ? limit : std::min(limit, kUnwatched);
  std::array<pollfd, 3> polled{pollfd{watch_.get(), POLLIN, 0}, pollfd{pidfd_.get(), POLLIN, 0},
                               pollfd{1, 0, 0}};
  (void)::poll(polled.data(), polled.size(), static_cast<int>(limit.count()));
  if ((polled[1].revents & POLLIN) != 0) {
    pidfd_.reset();
  }
  alignas(inotify_event) std::array<char, 4096> events;
  while (watch_.is_open() && ::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  if (watch_.is_open()) {
    add_watches();
  }
  return (polled[2].revents & (POLLERR | POLLHUP)) == 0;
}

bool is_inside(const RunView& run) {
  if (!run.live || run.live->supervisor.pid <= 0) {
    return false;
  }
  const auto above = sys::ancestry_of(::getpid()).chain;
  return std::ranges::any_of(
      above, [&](const sys::ProcessStat& stat) { return stat.id == run.live->supervisor; });
}

RunFollower::RunFollower(const LanesHere& lanes, RunView run, std::string log_directory)
    : lanes_{lanes},
      run_{std::move(run)},
      changes_{lanes, std::move(log_directory)},
      found_{find_ticket(lanes, run_.record.id)} {}

std::optional<RunView> RunFollower::find_live() const {
  auto live = live_views(lanes_);
  const auto it = std::ranges::find_if(
      live, [&](const RunView& other) { return other.record.id == run_.record.id; });
  return it == live.end() ? std::nullopt : std::optional{std::move(*it)};
}

bool RunFollower::look() {
  if (!run_.live) {
    return true;
  }
  if (auto live = find_live()) {
    run_ = std::move(*live);
    has_started_ = has_started_ || run_.live->has_started();
    if (auto found = find_ticket(lanes_, run_.record.id)) {
      found_ = std::move(found);
    }
    changes_.follow(run_.live->supervisor);
    return false;
  }
  if (auto record = record_of_ended(lanes_, run_.record.id, found_)) {
    run_ = view_of(std::move(*record));
  }
  return true;
}

bool RunFollower::wait() {
  const bool is_unwatched = !run_.live || !run_.live->is_here || changes_.has_ended();
  return changes_.wait(is_unwatched ? kUnwatched : kSafety);
}

}  // namespace onelane::multicall
