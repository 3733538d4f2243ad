#pragma once

#include <sys/types.h>

#include "core/process/signals.hpp"

namespace onelane::process {

/// What to run. Everything is borrowed for the call.
struct Command {
  const char* path = nullptr;         ///< Absolute path of the real tool.
  const char* const* argv = nullptr;  ///< NULL-terminated, argv[0] as the caller wrote it.
  const char* const* environment = nullptr;
};

/// Outcome of a launch: a child, or the errno of fork or exec.
struct Launched {
  pid_t pid = -1;
  int error = 0;
};

/// Starts the tool in the caller's process group, session and terminal, with the caller's
/// signals and with every descriptor of the caller under its number (jobserver, `<(…)`,
/// NODE_CHANNEL_FD): nothing is closed, ours are close-on-exec. The child asks for SIGTERM
/// should we die (PR_SET_PDEATHSIG), and does not start if we already have.
///
/// Boost.Process v2 launches, through a launcher of ours: its own closes descriptors above
/// its highest (v2/posix/detail/close_handles.ipp) and reports a failed exec through a
/// pipe. Blocks until the exec has happened; the caller waits for the child.
[[nodiscard]] Launched launch(const Command& command, const Signals& signals);

}  // namespace onelane::process
