#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/sys/file_descriptor.hpp"
#include "multicall/monitor/look.hpp"

namespace onelane::multicall::monitor {

/// Reports that a lane has changed, without polling: inotify(7) for what is written to lane,
/// journal and run logs, pidfds for tickets whose owner is killed and writes nothing.
class Wakes {
 public:
  explicit Wakes(const LanesHere& lanes);

  /// Watches the directories that exist by now.
  void watch_directories();
  /// The same, and from now on the owners of these tickets.
  void follow(const std::vector<LaneLook>& lanes);
  /// Descriptors that become readable when it is time to look again, inotify's first.
  [[nodiscard]] std::vector<int> fds() const;
  /// Call this before that look.
  void drain();
  /// False when something must be polled by the clock: no inotify, a ticket of another PID
  /// namespace, whose owner we cannot watch, or one whose owner is dead.
  [[nodiscard]] bool sees_everything() const noexcept { return sees_everything_; }

 private:
  void watch_owner(const TicketView& ticket, std::map<pid_t, sys::FileDescriptor>& owners);

  std::vector<std::string> directories_;
  sys::FileDescriptor inotify_;
  std::map<pid_t, sys::FileDescriptor> owners_;
  bool sees_everything_ = true;
};

}  // namespace onelane::multicall::monitor
