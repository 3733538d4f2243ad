#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/process/signals.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/monitor/keys.hpp"

namespace onelane::multicall::monitor {

/// Something the user has ordered, done by a child, so that the screen never waits: for the
/// gate of the lane, or for a run to end. What the child says comes back as one line.
///
/// Outlives the monitor: a run that is being ended goes on being ended. The child is in a
/// process group of its own, so that Ctrl-C at the monitor does not reach it.
class Errand {
 public:
  /// Forks. Throws SystemError when that is impossible.
  Errand(const Order& order, const LanesHere& lanes, const process::Signals& signals);

  /// Readable when there is something to collect.
  [[nodiscard]] int fd() const noexcept { return pipe_.get(); }
  /// The result, once the child is done; never blocks before.
  [[nodiscard]] std::optional<std::string> collect();

 private:
  sys::FileDescriptor pipe_;
  pid_t child_ = -1;
  std::string said_;
};

/// Does what is ordered but for EndRun: blocks for the gate of the lane. One line that says how
/// it went; throws SystemError where the lane cannot be written. Of `lanes` the tables are opened
/// anew: a lane may have come to be.
[[nodiscard]] std::string carry_out(const Order& order, const LanesHere& lanes);

}  // namespace onelane::multicall::monitor
