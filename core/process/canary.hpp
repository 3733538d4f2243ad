#pragma once

#include <sys/types.h>

#include <cstdint>

namespace onelane::process {

/// Tells whether a signal went to our whole process group or to us alone.
///
/// The canary is a child in the same group with every signal blocked: a signal sent to the group
/// (terminal, `kill %1`, a caller that kills its group) stays pending in it, where /proc/PID/status
/// shows it; one sent to the supervisor alone does not. It borrows our memory (CLONE_VM), has no
/// descriptors, runs only to forget, and dies with us (PDEATHSIG). It has our name, so that
/// pkill(1) by name hits it as well. It is always older than the tool: a killer that goes through a
/// list of our tree comes to it first.
class Canary {
 public:
  Canary() = default;
  Canary(const Canary&) = delete;
  Canary& operator=(const Canary&) = delete;
  ~Canary() { end(); }

  /// Starts a new canary; the current one becomes the previous one. Without a canary (clone failed)
  /// has_seen() returns false.
  void start() noexcept;
  /// True when `signal` is pending in the canary, that is, was sent to the whole group. It stays
  /// pending, so call renew() before checking for the next one.
  [[nodiscard]] bool has_seen(int signal) const noexcept;
  /// Clears the signals pending in it; if it does not answer (stopped, killed), a new canary takes
  /// its place. Blocks until the canary gets a processor, for 2 s at most.
  void renew() noexcept;
  /// True for a signal that this canary had before renew(), or that the previous one has, until
  /// drop_previous().
  [[nodiscard]] bool previous_has_seen(int signal) const noexcept;
  /// Ends and reaps the previous canary, if any.
  void drop_previous() noexcept;
  /// Ends it; it is reaped by end() or by the wait loop.
  void dismiss() noexcept;
  /// Ends and reaps it.
  void end() noexcept;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Call it when the wait loop has reaped the canary.
  void forget() noexcept { pid_ = -1; }

 private:
  pid_t pid_ = -1;
  pid_t previous_ = -1;
  int side_ = 0;
  std::uint64_t forgotten_ = 0;  ///< Signals, bit signal - 1, that renew() cleared.
};

/// The signals pending in `pid`, except those of single threads, as bit signal - 1; none when it is
/// gone.
[[nodiscard]] std::uint64_t pending_signals(pid_t pid) noexcept;

}  // namespace onelane::process
