#include "core/process/signals.hpp"

#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <optional>

#include "core/sys/error.hpp"

namespace onelane::process {
namespace {

void set_default(int signal) noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(signal, &action, nullptr);
}

void set_blocked(int how, int signal) noexcept {
  sigset_t only;
  ::sigemptyset(&only);
  ::sigaddset(&only, signal);
  ::sigprocmask(how, &only, nullptr);
}

volatile std::sig_atomic_t was_continued = 0;

void note_continue(int /*signal*/) {
  was_continued = 1;
}

/// SIGPIPE and SIGXFSZ follow an error of our own write: a notice without a reader, a lane file
/// over the size limit. The error is handled, so the signal is not passed on.
bool is_write_signal(int signal) noexcept {
  return signal == SIGPIPE || signal == SIGXFSZ;
}

constexpr int kStopOrder = 0x4f4c5354;  // "OLST", to which the cause is added

std::optional<StopCause> cause_in(const signalfd_siginfo& info) noexcept {
  if (info.ssi_signo != SIGTERM || info.ssi_code != SI_QUEUE) {
    return std::nullopt;
  }
  for (const StopCause cause : {StopCause::Asked, StopCause::Stolen, StopCause::TimeIsOver}) {
    if (info.ssi_int == kStopOrder + static_cast<int>(cause)) {
      return cause;
    }
  }
  return std::nullopt;
}

}  // namespace

Signals::Signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &caller_mask_);
  struct sigaction child {};
  ::sigaction(SIGCHLD, nullptr, &child);
  child_ignored_ = child.sa_handler == SIG_IGN;
  if (child_ignored_) {
    set_default(SIGCHLD);
  }
  fd_ = sys::lift(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd_.is_open()) {
    sys::throw_errno("make", "a signalfd");
  }
}

void Signals::restore() const noexcept {
  if (child_ignored_) {
    struct sigaction action {};
    action.sa_handler = SIG_IGN;
    ::sigaction(SIGCHLD, &action, nullptr);
  }
  ::sigprocmask(SIG_SETMASK, &caller_mask_, nullptr);
}

bool Signals::is_ignored(int signal) const noexcept {
  if (signal == SIGCHLD) {
    return child_ignored_;
  }
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

Signals::~Signals() {
  sigset_t own;
  ::sigemptyset(&own);
  ::sigaddset(&own, SIGPIPE);
  ::sigaddset(&own, SIGXFSZ);
  siginfo_t info{};
  const timespec none{0, 0};
  int others[2] = {0, 0};
  for (int& other : others) {
    const int signal = ::sigtimedwait(&own, &info, &none);
    other = signal > 0 && info.si_pid != ::getpid() ? signal : 0;
  }
  for (const int other : others) {
    if (other != 0) {
      ::kill(::getpid(), other);
    }
  }
  restore();
}

bool Signals::next(Arrived& out) const noexcept {
  signalfd_siginfo info{};
  do {
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
      return false;
    }
  } while (is_write_signal(static_cast<int>(info.ssi_signo)) &&
           info.ssi_pid == static_cast<std::uint32_t>(::getpid()));
  out.signal = static_cast<int>(info.ssi_signo);
  out.from_kernel = info.ssi_code == SI_KERNEL;
  const auto cause = cause_in(info);
  out.is_order = cause.has_value();
  out.cause = cause.value_or(StopCause::Asked);
  out.sender = static_cast<pid_t>(info.ssi_pid);
  out.user = info.ssi_uid;
  return true;
}

bool Signals::next_noticed(Arrived& out) const noexcept {
  while (next(out)) {
    if (!is_ignored(out.signal)) {
      return true;
    }
  }
  return false;
}

// A stop signal discards a pending SIGCONT (signal(7)), so a SIGCONT that arrives just before we
// stop must not stay pending: it is delivered to a handler, and then we do not stop.
int order_stop(int pidfd, StopCause cause) noexcept {
  siginfo_t info{};
  info.si_signo = SIGTERM;
  info.si_code = SI_QUEUE;
  info.si_pid = ::getpid();
  info.si_uid = ::getuid();
  info.si_value.sival_int = kStopOrder + static_cast<int>(cause);
  return ::syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, &info, 0) == 0 ? 0 : errno;
}

bool stop_self(int signal) noexcept {
  was_continued = 0;
  struct sigaction note {};
  struct sigaction before {};
  note.sa_handler = &note_continue;
  ::sigaction(SIGCONT, &note, &before);
  set_default(signal);
  set_blocked(SIG_UNBLOCK, SIGCONT);
  if (was_continued == 0) {
    ::kill(::getpid(), signal);
    if (was_continued == 0) {
      set_blocked(SIG_UNBLOCK, signal);  // stops here
      set_blocked(SIG_BLOCK, signal);
    } else {
      note.sa_handler = SIG_IGN;  // drops the stop that is pending now
      ::sigaction(signal, &note, nullptr);
      set_default(signal);
    }
  }
  set_blocked(SIG_BLOCK, SIGCONT);
  ::sigaction(SIGCONT, &before, nullptr);
  return was_continued != 0;
}

void die_of(int signal) noexcept {
  ::prctl(PR_SET_DUMPABLE, 0);  // the tool has left the core file, if any
  set_default(signal);
  ::kill(::getpid(), signal);
  set_blocked(SIG_UNBLOCK, signal);
  ::_exit(128 + signal);
}

void mirror(int wait_status) noexcept {
  if (WIFSIGNALED(wait_status)) {
    die_of(WTERMSIG(wait_status));
  }
  ::_exit(WEXITSTATUS(wait_status));
}

}  // namespace onelane::process
