#pragma once

#include <signal.h>

#include "core/sys/file_descriptor.hpp"

namespace onelane::process {

/// Why a run is to end early; a value sent with the signal.
enum class StopCause {
  Asked,       ///< The end of this run was requested.
  Stolen,      ///< The lane is wanted by another user or call, at the cost of this run.
  TimeIsOver,  ///< The time limit of what the run is part of has expired.
};

/// The signals of a supervisor: all blocked and read from a descriptor, with the caller's
/// dispositions preserved for the tool.
///
/// No handler is installed and nothing is reset: a signal that the caller ignores stays ignored (it
/// never arrives, here or in the tool), a blocked one is blocked in the tool. Only an ignored
/// SIGCHLD is set to its default here, because the kernel would otherwise reap the tool without
/// giving us its status (wait(2)); the tool gets it back ignored. One object per process, made
/// before any thread. Throws SystemError without signalfd.
class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  /// Restores mask and SIGCHLD, for a caller that execs after all.
  ~Signals();

  /// Readable when a signal is pending (struct signalfd_siginfo); non-blocking.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Restores the dispositions and mask for the tool. Async-signal-safe.
  void restore() const noexcept;
  /// True when the caller ignored `signal`.
  [[nodiscard]] bool is_ignored(int signal) const noexcept;
  /// One signal, as read from the descriptor.
  struct Arrived {
    int signal = 0;
    bool from_kernel = false;            ///< SI_KERNEL: the terminal or a timer, not kill(2).
    bool is_order = false;               ///< Sent by order_stop().
    StopCause cause = StopCause::Asked;  ///< Of an order.
    pid_t sender = 0;
    uid_t user = 0;  ///< Of the sender.
  };
  [[nodiscard]] bool next(Arrived& out) const noexcept;
  /// Like next(), without signals the caller ignores: blocked signals are queued even when ignored
  /// (signal(7)), although a process that only waits would never notice them.
  [[nodiscard]] bool next_noticed(Arrived& out) const noexcept;

 private:
  sigset_t caller_mask_{};
  bool child_ignored_ = false;
  sys::FileDescriptor fd_;
};

/// Tells the supervisor in `pidfd` to end its run: SIGTERM with a value that no other sender uses,
/// so a process that does not know the value treats it as an ordinary SIGTERM. Returns errno, or 0.
[[nodiscard]] int order_stop(int pidfd, StopCause cause) noexcept;

/// Stops the calling process by `signal` as its default action would, with all others staying
/// blocked. Returns true when it was continued, afterwards or just before it stopped; false when
/// the kernel discarded the stop because no process could continue us (orphaned process group,
/// setpgid(2)). The SIGCONT is consumed.
bool stop_self(int signal) noexcept;

/// Ends the calling process by `signal` without a core file of its own; exits with 128 + signal
/// when the signal cannot end it.
[[noreturn]] void die_of(int signal) noexcept;

/// Ends the way `wait_status` (waitpid(2)) says the tool ended: same code, or death by the same
/// signal.
[[noreturn]] void mirror(int wait_status) noexcept;

}  // namespace onelane::process
