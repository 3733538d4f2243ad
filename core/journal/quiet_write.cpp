#include "core/journal/quiet_write.hpp"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace onelane::journal {
namespace {

ssize_t write_once(int fd, std::string_view bytes) noexcept {
  for (;;) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put >= 0 || errno != EINTR) {
      return put;
    }
  }
}

}  // namespace

bool write_quietly(int fd, std::string_view bytes) noexcept {
  sigset_t noisy;
  sigset_t before;
  ::sigemptyset(&noisy);
  ::sigaddset(&noisy, SIGXFSZ);
  ::sigaddset(&noisy, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &noisy, &before);
  const ssize_t put = write_once(fd, bytes);
  const bool is_whole = put == static_cast<ssize_t>(bytes.size());
  if (!is_whole) {
    if (put > 0) {
      (void)write_once(fd, "\n");
    }
    // Also where the caller had them blocked: it would die of them when it unblocks.
    const struct timespec none {};
    while (::sigtimedwait(&noisy, nullptr, &none) > 0) {
    }
  }
  if (::sigismember(&before, SIGXFSZ) == 0 || ::sigismember(&before, SIGPIPE) == 0) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  return is_whole;
}

}  // namespace onelane::journal
