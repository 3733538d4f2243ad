#include "core/process/canary.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
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

#include "core/sys/process.hpp"

#ifdef __SANITIZE_THREAD__
// ThreadSanitizer intercepts clone(3) and takes the child for a copy of the process: it would reset
// in our memory what it knows of us. It does not know glibc's other name for it.
extern "C" int __clone(int (*)(void*), void*, int, void*, ...);
#define ONELANE_CLONE __clone
#else
#define ONELANE_CLONE ::clone
#endif

namespace onelane::process {
namespace {

/// Shared between a canary and its supervisor.
struct Perch {
  pid_t supervisor = -1;
  std::uint32_t order = 0;  ///< A futex(2): 1 while the canary is to forget its pending signals.
  std::uint64_t forgotten = 0;  ///< Owned by the canary until it has answered.
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ONELANE_NO_SANITIZE __attribute__((no_sanitize("address", "thread", "undefined")))
constexpr std::size_t kStack = std::size_t{256} << 10U;  // what a sanitizer calls needs more
#else
#define ONELANE_NO_SANITIZE
constexpr std::size_t kStack = std::size_t{16} << 10U;  // a dynamic linker may bind a name on it
#endif

/// Two of each: the next canary starts before the previous one has ended.
alignas(16) std::array<std::array<std::byte, kStack>, 2> stacks;
std::array<Perch, 2> perches;

constexpr long kLookAfter = 20'000'000;  // nanoseconds
constexpr int kMostLooks = 100;          // a busy machine may take that long

/// Raw system calls only: it shares our memory, including the C library's state and errno. It sets
/// errno only while we wait for its answer.
ONELANE_NO_SANITIZE int perch(void* place) {
  Perch& at = *static_cast<Perch*>(place);
  ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  // If we are killed between the clone and the line above, the canary would stay forever.
  if (::syscall(SYS_getppid) != at.supervisor) {
    ::syscall(SYS_exit_group, 0);
  }
  ::syscall(SYS_close_range, 0U, ~0U, 0U);
  for (;;) {
    ::syscall(SYS_futex, &at.order, FUTEX_WAIT_PRIVATE, 0U, nullptr, nullptr, 0);
    if (__atomic_load_n(&at.order, __ATOMIC_SEQ_CST) != 0) {
      const std::uint64_t all = ~std::uint64_t{0};
      const timespec none{0, 0};
      long signal = 0;
      while ((signal = ::syscall(SYS_rt_sigtimedwait, &all, nullptr, &none, sizeof all)) > 0) {
        at.forgotten |= std::uint64_t{1} << static_cast<unsigned>(signal - 1);
      }
      __atomic_store_n(&at.order, 0U, __ATOMIC_SEQ_CST);
      ::syscall(SYS_futex, &at.order, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    }
  }
}

/// True when the canary will answer once it gets a processor.
bool can_answer(pid_t pid) noexcept {
  const auto stat = sys::read_stat(pid);
  return stat && !stat->has_ended() && stat->state != 'T' && stat->state != 't';
}

/// Tells the canary on `at` to forget, and waits for its answer: an answer that came later would be
/// lost, and with it which signals the canary had.
bool make_forget(Perch& at, pid_t pid) noexcept {
  at.forgotten = 0;
  __atomic_store_n(&at.order, 1U, __ATOMIC_SEQ_CST);
  ::syscall(SYS_futex, &at.order, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  const timespec limit{0, kLookAfter};
  const auto is_silent = [&] { return __atomic_load_n(&at.order, __ATOMIC_SEQ_CST) != 0; };
  for (int look = 0; is_silent() && look < kMostLooks && (look == 0 || can_answer(pid)); ++look) {
    ::syscall(SYS_futex, &at.order, FUTEX_WAIT_PRIVATE, 1U, &limit, nullptr, 0);
  }
  return !is_silent();
}

bool is_pending_in(pid_t pid, int signal) noexcept {
  return pid > 0 && (pending_signals(pid) >> static_cast<unsigned>(signal - 1) & 1U) != 0;
}

}  // namespace

// SigPnd and ShdPnd of proc(5), together.
std::uint64_t pending_signals(pid_t pid) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/status", pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return 0;
  }
  std::array<char, 4096> text{};
  const ssize_t got = ::read(fd, text.data(), text.size() - 1);
  ::close(fd);
  std::uint64_t pending = 0;
  for (const char* name : {"\nSigPnd:", "\nShdPnd:"}) {
    const char* line = got > 0 ? std::strstr(text.data(), name) : nullptr;
    if (line != nullptr) {
      pending |= std::strtoull(line + 8, nullptr, 16);
    }
  }
  return pending;
}

void Canary::start() noexcept {
  drop_previous();
  previous_ = pid_;
  side_ = 1 - side_;
  const auto side = static_cast<std::size_t>(side_);
  perches[side].supervisor = ::getpid();
  perches[side].order = 0;
  pid_ = ONELANE_CLONE(&perch, stacks[side].data() + stacks[side].size(), CLONE_VM | SIGCHLD,
                       &perches[side]);
}

void Canary::renew() noexcept {
  if (pid_ > 0 && make_forget(perches[static_cast<std::size_t>(side_)], pid_)) {
    forgotten_ = perches[static_cast<std::size_t>(side_)].forgotten;
  } else {
    start();
  }
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
  return (forgotten_ >> static_cast<unsigned>(signal - 1) & 1U) != 0 ||
         is_pending_in(previous_, signal);
}

void Canary::drop_previous() noexcept {
  forgotten_ = 0;
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
