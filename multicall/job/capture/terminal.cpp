#include "multicall/job/capture/terminal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "core/sys/error.hpp"

namespace onelane::multicall::capture {
namespace {

bool is_in_foreground() noexcept {
  return ::isatty(0) == 1 && ::tcgetpgrp(0) == ::getpgrp();
}

}  // namespace

PtyBridge::PtyBridge() : own_{sys::lift(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC))} {
  char name[64];
  if (!own_.is_open() || ::grantpt(own_.get()) != 0 || ::unlockpt(own_.get()) != 0 ||
      ::ptsname_r(own_.get(), name, sizeof name) != 0) {
    sys::throw_errno("open", "a pseudo terminal");
  }
  name_ = name;
  termios modes{};
  if (::tcgetattr(1, &modes) == 0) {
    (void)::tcsetattr(own_.get(), TCSANOW, &modes);
  }
  fit();
}

void PtyBridge::open_other_side() {
  ::setsid();
  const auto side = sys::open_file(name_, O_RDWR);  // becomes the session's terminal
  for (int fd = 0; fd < 3; ++fd) {
    if (::isatty(fd) == 1 && ::dup2(side.get(), fd) < 0) {
      sys::throw_errno("use", name_);
    }
  }
  own_.reset();
}

sys::FileDescriptor PtyBridge::own_side() const {
  return sys::lift(::fcntl(own_.get(), F_DUPFD_CLOEXEC, 0));
}

void PtyBridge::fit() const noexcept {
  winsize size{};
  if (::ioctl(1, TIOCGWINSZ, &size) == 0) {
    (void)::ioctl(own_.get(), TIOCSWINSZ, &size);
  }
}

void PtyBridge::enter_raw() noexcept {
  if (is_raw_ || !has_input_ || !is_in_foreground() || ::tcgetattr(0, &before_) != 0) {
    return;
  }
  termios raw = before_;
  ::cfmakeraw(&raw);
  is_raw_ = ::tcsetattr(0, TCSANOW, &raw) == 0;
}

void PtyBridge::leave_raw() noexcept {
  if (is_raw_) {
    is_raw_ = false;
    (void)::tcsetattr(0, TCSANOW, &before_);
  }
}

void PtyBridge::pass_keys() noexcept {
  if (keys_.empty()) {
    char keys[256];
    const ssize_t got = ::read(0, keys, sizeof keys);
    if (got <= 0) {
      has_input_ = false;  // the terminal is gone
      leave_raw();
      return;
    }
    keys_.assign(keys, static_cast<std::size_t>(got));
  }
  const ssize_t put = ::write(own_.get(), keys_.data(), keys_.size());
  if (put > 0) {
    keys_.erase(0, static_cast<std::size_t>(put));
  } else if (errno != EAGAIN && errno != EINTR) {
    keys_.clear();
  }
}

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
