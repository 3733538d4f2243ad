#include "core/process/canary.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace onelane::process {
namespace {

/// Two stacks: the next canary starts before the last one is gone.
alignas(16) std::array<std::array<std::byte, 4096>, 2> stacks;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ONELANE_NO_SANITIZE __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define ONELANE_NO_SANITIZE
#endif

/// Raw system calls only: it shares our memory, the C library's state included.
ONELANE_NO_SANITIZE int perch(void* supervisor) {
  ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // Killed between our clone and the line above, it would leave us here for ever.
  if (::syscall(SYS_getppid) != static_cast<long>(reinterpret_cast<std::intptr_t>(supervisor))) {
    ::syscall(SYS_exit_group, 0);
  }
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  for (;;) {
    ::syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0);
  }
}

/// SigPnd and ShdPnd of `pid` (proc(5)), together.
unsigned long long pending_in(pid_t pid) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  std::array<char, 4096> text{};
  const ssize_t got = ::read(fd, text.data(), text.size() - 1);
  ::close(fd);
  unsigned long long pending = 0;
  for (const char* name : {"\nSigPnd:", "\nShdPnd:"}) {
    const char* line = got > 0 ? std::strstr(text.data(), name) : nullptr;
    if (line != nullptr) {
      pending |= std::strtoull(line + 8, nullptr, 16);
    }
  }
  return pending;
}

bool is_pending_in(pid_t pid, int signal) noexcept {
  return pid > 0 && (pending_in(pid) >> static_cast<unsigned>(signal - 1) & 1U) != 0;
}

}  // namespace

void Canary::start() noexcept {
  drop_previous();
  previous_ = pid_;
  side_ = 1 - side_;
  auto& stack = stacks[static_cast<std::size_t>(side_)];
  pid_ = ::clone(&perch, stack.data() + stack.size(), CLONE_VM | SIGCHLD,
                 reinterpret_cast<void*>(static_cast<std::intptr_t>(::getpid())));
}

bool Canary::has_seen(int signal) const noexcept {
  // A signal to a group is sent to one member after another, under a read lock of the task
  // list (kernel/signal.c, kill_pgrp): we may be awake before the canary has got it. Setting
  // our group to what it is changes nothing, but takes that lock for writing (kernel/sys.c,
  // setpgid), and so returns when the round is over.
  (void)::setpgid(0, ::getpgrp());
  return is_pending_in(pid_, signal);
}

bool Canary::previous_has_seen(int signal) const noexcept {
  return is_pending_in(previous_, signal);
}

void Canary::drop_previous() noexcept {
  if (previous_ > 0) {
    ::kill(previous_, SIGKILL);
    ::waitpid(previous_, nullptr, 0);
    previous_ = -1;
  }
}

void Canary::dismiss() noexcept {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
  }
}

void Canary::end() noexcept {
  drop_previous();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

}  // namespace onelane::process
