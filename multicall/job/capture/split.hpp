#pragma once

#include <sys/types.h>

#include "core/sys/file_descriptor.hpp"

namespace onelane::multicall::capture {

/// Two ends of a pipe or socket.
struct Ends {
  sys::FileDescriptor read;
  sys::FileDescriptor write;
};
/// Both close-on-exec. Throw SystemError.
[[nodiscard]] Ends make_pipe();
[[nodiscard]] Ends make_sockets();

/// fork(2) of a process with one thread. Throws SystemError.
[[nodiscard]] pid_t split();

/// In the child: SIGTERM should `parent` die; ends it where that has happened already.
void end_with(pid_t parent) noexcept;

/// /dev/null in place of the descriptors from `first` to `last`.
void use_null(int first, int last) noexcept;

}  // namespace onelane::multicall::capture
