#pragma once

#include <sys/types.h>

#include <cstdint>

namespace onelane::process {

/// Tells whether a signal went to our whole process group or to us alone.
///
/// The canary is a child in the same group with every signal blocked: a signal sent to the
/// group (terminal, `kill %1`, a caller that kills its group) stays pending in it, where
/// /proc/PID/status shows it; one sent to the supervisor alone does not. It borrows our
/// memory (CLONE_VM) and has no descriptors, runs only to forget, and dies with us (PDEATHSIG).
/// It has our name, so that pkill(1) by name meets it as well. It is older than the tool and
/// stays so: a killer that goes through a list of our tree meets it first.
class Canary {
 public:
  Canary() = default;
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;
  ~Canary() { end(); }

  /// Starts a fresh one; one that was there becomes the previous one. Without a canary
  /// (clone failed) has_seen() says no.
  void start() noexcept;
  /// True when `signal` is pending in the canary, that is, went to the whole group. It then
  /// stays pending, so renew() is needed to tell the next.
  [[nodiscard]] bool has_seen(int signal) const noexcept;
  /// Makes it forget what is pending in it; where it does not answer (stopped, killed), a fresh
  /// one takes its place. Blocks until it has the processor, for 2 s at most.
  void renew() noexcept;
  /// True for what it had, or its predecessor has, until drop_previous().
  [[nodiscard]] bool previous_has_seen(int signal) const noexcept;
  /// Ends and reaps the predecessor, if any.
  void drop_previous() noexcept;
  /// Ends it; it is reaped by end() or by the wait loop.
  void dismiss() noexcept;
  /// Ends and reaps it.
  void end() noexcept;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// To be called when the wait loop has reaped it.
  void forget() noexcept { pid_ = -1; }

 private:
  pid_t pid_ = -1;
  pid_t previous_ = -1;
  int side_ = 0;
  std::uint64_t forgotten_ = 0;  ///< Signals, bit signal - 1, that renew() cleared.
};

/// The signals pending in `pid`, its threads' apart, bit signal - 1; none when it is gone.
[[nodiscard]] std::uint64_t pending_signals(pid_t pid) noexcept;

}  // namespace onelane::process
