#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>

#include "core/process/ask.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/doctor/file_system.hpp"

namespace onelane::multicall::doctor {
namespace {

using Result = LockTrial::Result;

/// A file of the trial's own, opened twice: two open file descriptions, as two processes have.
struct TrialFile {
  explicit TrialFile(const std::string& directory)
      : path{directory + "/doctor-" + std::to_string(::getpid())},
        theirs{sys::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)} {
    ours = sys::try_open_file(path.c_str(), O_RDWR | O_NOFOLLOW);
    const int error = errno;
    ::unlink(path.c_str());
    if (!ours.is_open()) {
      throw sys::SystemError{error, "open", path};
    }
  }
  std::string path;
  sys::FileDescriptor theirs;
  sys::FileDescriptor ours;
};

/// In the child after fork: locks, reports, and waits to be killed.
[[noreturn]] void hold(int file, int tell, pid_t parent) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_len = 1;
  const char error =
      ::fcntl(file, F_OFD_SETLK, &lock) == 0 ? '\0' : static_cast<char>(errno & 0x7f);
  if (::write(tell, &error, 1) != 1 || ::getppid() != parent) {
    ::_exit(1);
  }
  for (;;) {
    ::pause();
  }
}

/// Polls until the condition holds, or until the time for an answer is over.
bool comes(const std::function<bool()>& is_so) {
  const auto deadline = sys::monotonic_time() + process::kPatience;
  while (!is_so()) {
    if (sys::monotonic_time() >= deadline) {
      return false;
    }
    (void)::poll(nullptr, 0, 1);
  }
  return true;
}

void end(pid_t child) {
  (void)::kill(child, SIGKILL);
  (void)comes([child] { return ::waitpid(child, nullptr, WNOHANG) != 0; });
}

/// The child's report about its lock: 0, an errno, or -1 if none came in time.
int listen(int fd) {
  pollfd polled{fd, POLLIN, 0};
  char error = 0;
  const bool told = ::poll(&polled, 1, static_cast<int>(process::kPatience.count())) == 1;
  return told && ::read(fd, &error, 1) == 1 ? error : -1;
}

}  // namespace

LockTrial try_locks(const std::string& directory) {
  TrialFile file{directory};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    sys::throw_errno("make", "a pipe");
  }
  const sys::FileDescriptor in = sys::lift(ends[0]);
  const sys::FileDescriptor out = sys::lift(ends[1]);
  const auto begin = sys::monotonic_time();
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) {
    sys::throw_errno("fork", "");
  }
  if (child == 0) {
    hold(file.theirs.get(), out.get(), self);
  }
  // Only the child has that open file description now: its death frees the lock.
  file.theirs.reset();
  const int told = listen(in.get());
  const bool excludes = told == 0 && sys::is_byte_locked(file.ours.get(), 0);
  end(child);
  if (told > 0) {
    throw sys::SystemError{told, "lock", file.path};
  }
  LockTrial trial;
  const bool freed = told == 0 && comes([&] {
                       return sys::try_lock_byte(file.ours.get(), 0, sys::LockKind::Write);
                     });
  trial.result = told < 0    ? Result::NoAnswer
                 : !excludes ? Result::NotExclusive
                 : !freed    ? Result::NotFreed
                             : Result::Works;
  trial.microseconds = static_cast<long>(
      std::chrono::duration_cast<std::chrono::microseconds>(sys::monotonic_time() - begin).count());
  return trial;
}

}  // namespace onelane::multicall::doctor
