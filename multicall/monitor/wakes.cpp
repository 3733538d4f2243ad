#include "multicall/monitor/wakes.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace onelane::multicall::monitor {

Wakes::Wakes(const LanesHere& lanes)
    : directories_{lanes.project.state_dir, lanes.project.state_dir + "/git",
                   log_directory(lanes.project, lanes.settings)},
      inotify_{sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK))} {
  watch_directories();
}

// Watching again what is watched already changes nothing (inotify_add_watch(2)).
void Wakes::watch_directories() {
  constexpr std::uint32_t kChanges =
      IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR;
  sees_everything_ = inotify_.is_open();
  for (const std::string& directory : directories_) {
    const int watch = ::inotify_add_watch(inotify_.get(), directory.c_str(), kChanges);
    sees_everything_ = sees_everything_ && (watch >= 0 || directory != directories_.front());
  }
}

// A dead owner's pidfd is readable for ever (pidfd_open(2)), a zombie's too, so sleeping on it
// would not block. A guardian has its ticket until it is done.
void Wakes::watch_owner(const TicketView& ticket, std::map<pid_t, sys::FileDescriptor>& owners) {
  const pid_t pid = ticket.supervisor.pid;
  sys::FileDescriptor pidfd;
  if (auto known = owners_.extract(pid)) {
    pidfd = std::move(known.mapped());
  } else if (ticket.is_here) {
    pidfd = sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }
  pollfd polled{pidfd.get(), POLLIN, 0};
  if (pidfd.is_open() && ::poll(&polled, 1, 0) == 0) {
    owners[pid] = std::move(pidfd);
  } else {
    sees_everything_ = false;
  }
}

void Wakes::follow(const std::vector<LaneLook>& lanes) {
  watch_directories();
  std::map<pid_t, sys::FileDescriptor> owners;
  const auto add = [&](const TicketView& ticket) { watch_owner(ticket, owners); };
  for (const LaneLook& lane : lanes) {
    if (lane.view.holder) {
      add(*lane.view.holder);
    }
    std::ranges::for_each(lane.view.beside, add);
    std::ranges::for_each(lane.view.queue, add);
    std::ranges::for_each(lane.view.services, add);
  }
  owners_ = std::move(owners);
}

std::vector<int> Wakes::fds() const {
  std::vector<int> out{inotify_.get()};
  for (const auto& [pid, pidfd] : owners_) {
    out.push_back(pidfd.get());
  }
  return out;
}

void Wakes::drain() {
  alignas(inotify_event) std::array<char, 16384> events;
  while (inotify_.is_open() && ::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace onelane::multicall::monitor
