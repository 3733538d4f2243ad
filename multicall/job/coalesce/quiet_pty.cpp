#include "multicall/job/coalesce/quiet_pty.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "core/sys/error.hpp"

namespace onelane::multicall::coalesce {

QuietPty open_quiet_pty(int model) {
  QuietPty pty;
  pty.own = sys::lift(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[64];
  if (!pty.own.is_open() || ::grantpt(pty.own.get()) != 0 || ::unlockpt(pty.own.get()) != 0 ||
      ::ptsname_r(pty.own.get(), name, sizeof name) != 0) {
    sys::throw_errno("open", "a pseudo terminal");
  }
  pty.tools = sys::open_file(name, O_RDWR | O_NOCTTY);
  termios modes{};
  if (::tcgetattr(model, &modes) == 0) {
    // No output processing here: the real terminal does its own, newlines included.
    modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    modes.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | TOSTOP);
    (void)::tcsetattr(pty.tools.get(), TCSANOW, &modes);
  }
  fit_pty(pty.own.get(), model);
  return pty;
}

void fit_pty(int own, int model) noexcept {
  winsize size{};
  if (::ioctl(model, TIOCGWINSZ, &size) == 0) {
    (void)::ioctl(own, TIOCSWINSZ, &size);
  }
}

}  // namespace onelane::multicall::coalesce
