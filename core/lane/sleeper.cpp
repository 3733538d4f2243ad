#include "core/lane/sleeper.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <ctime>

#include "core/sys/error.hpp"

namespace onelane::lane {
namespace {

/// Interrupts the thread in fcntl(2). Applications may use this number, and every signal is blocked
/// in all our threads except this one.
int wake_signal() noexcept {
  return SIGRTMIN + 5;
}

void do_nothing(int /*signal*/) {}

}  // namespace

Sleeper::Sleeper() : event_{sys::lift(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))} {
  if (!event_.is_open()) {
    sys::throw_errno("make", "an eventfd");
  }
}

void Sleeper::start(int file, off_t byte, sys::LockKind kind) {
  cancel();
  std::uint64_t drained = 0;
  (void)sys::read_up_to(event_.get(), reinterpret_cast<char*>(&drained), sizeof drained);
  done_ = ended_ = stop_ = false;
  // No SA_RESTART: EINTR is wanted. Exec resets the handler, so the tool never sees it.
  struct sigaction action {};
  action.sa_handler = &do_nothing;
  ::sigaction(wake_signal(), &action, nullptr);
  thread_ = std::thread{[this, file, byte, kind] { run(file, byte, kind); }};
}

void Sleeper::run(int file, off_t byte, sys::LockKind kind) noexcept {
  sigset_t mask;
  ::sigfillset(&mask);
  ::sigdelset(&mask, wake_signal());
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  try {
    while (!stop_ && !done_) {
      done_ = sys::lock_byte(file, byte, kind);
    }
  } catch (const sys::SystemError&) {
    // The main thread reads the table again and meets the same failure itself.
  }
  if (done_ && kind == sys::LockKind::Read) {
    sys::unlock_byte(file, byte);
  }
  ended_ = true;
  const std::uint64_t one = 1;
  (void)sys::write_all(event_.get(), {reinterpret_cast<const char*>(&one), sizeof one});
}

void Sleeper::cancel() noexcept {
  if (!thread_.joinable()) {
    return;
  }
  stop_ = true;
  // The signal may arrive just before the thread enters fcntl(2), so repeat it until the thread
  // left.
  while (!ended_) {
    ::pthread_kill(thread_.native_handle(), wake_signal());
    const timespec nap{0, 50'000};
    ::nanosleep(&nap, nullptr);
  }
  thread_.join();
}

}  // namespace onelane::lane
