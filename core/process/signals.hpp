#pragma once

#include <signal.h>

#include "core/sys/file_descriptor.hpp"

namespace onelane::process {

/// Why a run is to end before its time; a value that goes with the signal.
enum class StopCause {
  Asked,       ///< Somebody asked for the end of this run.
  Stolen,      ///< Somebody wants the lane, whatever becomes of the run.
  TimeIsOver,  ///< The time of what the run is a part of is over.
};

/// The signals of a supervisor: all blocked and read from a descriptor, with what the
/// caller handed down kept for the tool.
///
/// Nothing is handled and nothing is reset: a signal the caller ignores stays ignored (it
/// never arrives, here or in the tool), a blocked one is blocked in the tool. Only an
/// ignored SIGCHLD is set to its default here, because the kernel would otherwise reap the
/// tool without giving us its status (wait(2)); the tool gets it back ignored.
/// One object a process, made before any thread. Throws SystemError without signalfd.
class Signals {
 public:
  Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  /// Puts mask and SIGCHLD back, for a caller that execs after all.
  ~Signals();

  /// Readable when a signal is pending (struct signalfd_siginfo); non-blocking.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// What the tool starts with. Async-signal-safe.
  void restore() const noexcept;
  /// True where the caller had `signal` ignored.
  [[nodiscard]] bool is_ignored(int signal) const noexcept;
  /// Next pending signal, nothing when there is none.
  struct Arrived {
    int signal = 0;
    bool from_kernel = false;            ///< SI_KERNEL: the terminal or a timer, not kill(2).
    bool is_order = false;               ///< order_stop() sent it.
    StopCause cause = StopCause::Asked;  ///< Of an order.
    pid_t sender = 0;
    uid_t user = 0;  ///< Of the sender.
  };
  [[nodiscard]] bool next(Arrived& out) const noexcept;
  /// As next(), without what the caller ignores: blocked signals are queued even when
  /// ignored (signal(7)), and a process that only waits would never notice them.
  [[nodiscard]] bool next_noticed(Arrived& out) const noexcept;

 private:
  sigset_t caller_mask_{};
  bool child_ignored_ = false;
  sys::FileDescriptor fd_;
};

/// Tells the supervisor in `pidfd` to end its run: SIGTERM with a value that no other sender
/// uses, so that one that does not know of it passes it on as the signal it is. Errno, or 0.
[[nodiscard]] int order_stop(int pidfd, StopCause cause) noexcept;

/// Stops the calling process by `signal` as its default action would, all others staying
/// blocked. Returns true when it was continued, afterwards or just before it came to stop;
/// false when the kernel discarded the stop because nobody could continue us (orphaned
/// process group, setpgid(2)). The SIGCONT is consumed.
bool stop_self(int signal) noexcept;

/// Ends the calling process by `signal` without a core file of its own; 128 + signal when
/// the signal cannot end it.
[[noreturn]] void die_of(int signal) noexcept;

/// Ends as `wait_status` (waitpid(2)) says the tool ended: same code, or death by the same signal.
[[noreturn]] void mirror(int wait_status) noexcept;

}  // namespace onelane::process
