#include "multicall/job/capture/split.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/sys/error.hpp"

namespace onelane::multicall::capture {

Ends make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    sys::throw_errno("make", "a pipe");
  }
  return {sys::lift(ends[0]), sys::lift(ends[1])};
}

Ends make_sockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    sys::throw_errno("make", "a socket pair");
  }
  return {sys::lift(ends[0]), sys::lift(ends[1])};
}

pid_t split() {
  const pid_t pid = ::fork();
  if (pid < 0) {
    sys::throw_errno("start", "a process");
  }
  return pid;
}

void end_with(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) {
    ::_exit(125);
  }
}

void use_null(int first, int last) noexcept {
  const sys::FileDescriptor null = sys::try_open_file("/dev/null", O_RDWR);
  for (int fd = first; fd <= last && null.is_open(); ++fd) {
    ::dup2(null.get(), fd);
  }
}

}  // namespace onelane::multicall::capture
