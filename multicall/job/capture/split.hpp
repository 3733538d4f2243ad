#pragma once

#include <sys/types.h>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// The two ends of a pipe or of a socket pair.
struct Ends {
  sys::FileDescriptor read;
  sys::FileDescriptor write;
};
/// Both close-on-exec. Throw SystemError.
[[nodiscard]] Ends make_pipe();
[[nodiscard]] Ends make_sockets();

/// fork(2); this process must have one thread. Throws SystemError.
[[nodiscard]] pid_t split();

/// For the child: get SIGTERM when `parent` dies (prctl(2)); exits if it is dead already.
void end_with(pid_t parent) noexcept;

/// Replaces the descriptors from `first` to `last` with /dev/null.
void use_null(int first, int last) noexcept;

}  // namespace onelane::multicall::capture
