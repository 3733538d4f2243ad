#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "core/process/signals.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/monitor/keys.hpp"

namespace onelane::multicall::monitor {

/// An order of the user, carried out by a child, so that the screen never waits: for the gate of
/// the lane, or for a run to end. The child answers with one line.
///
/// The child outlives the monitor: a run that is being ended goes on being ended. It is in a
/// process group of its own, so that Ctrl-C at the monitor does not reach it.
class Errand {
 public:
  /// Forks. Throws SystemError when that fails.
  Errand(const Order& order, const LanesHere& lanes, const process::Signals& signals);

  /// Becomes readable when there is something to collect.
  [[nodiscard]] int fd() const noexcept { return pipe_.get(); }
  /// The result, once the child is done; empty before that. Never blocks.
  [[nodiscard]] std::optional<std::string> collect();

 private:
  sys::FileDescriptor pipe_;
  pid_t child_ = -1;
  std::string said_;
};

/// Carries out an order other than EndRun. Blocks for the gate of the lane. Returns one line that
/// says how it went; throws SystemError if the lane cannot be written. Opens the tables of `lanes`
/// again, since a lane may have been created meanwhile.
[[nodiscard]] std::string carry_out(const Order& order, const LanesHere& lanes);

}  // namespace onelane::multicall::monitor
