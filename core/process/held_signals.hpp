#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/process/canary.hpp"
#include "core/process/signals.hpp"

namespace onelane::process {

/// Signals that came to us, and so far to no other process of our tree, before they are passed on.
///
/// A killer that lists our tree and signals one process after the other (nodemon, tree-kill, an
/// agent) may begin with us: then the child gets its own, and one from us would be its second.
/// Such a killer meets our other helpers as well, so a signal is held until one of them has it
/// or until a killer that has not come so far is none. What it leaves in the canary later, its
/// echo, is waited for as well, because the canary must forget it. No clock and no system call
/// in here.
class HeldSignals {
 public:
  /// How long a killer may take from us to the next of our processes.
  static constexpr std::chrono::milliseconds kLongest{60};
  /// How long its echo is waited for.
  static constexpr std::chrono::milliseconds kEcho{1'000};

  /// `witnessed`: what is pending in a helper that may not have forgotten earlier ones yet, bit
  /// signal - 1: this signal proves nothing there before it has been seen to be gone.
  void hold(int signal, std::chrono::nanoseconds now, std::uint64_t witnessed = 0);

  /// For one that is passed on at once: nothing but its echo is waited for.
  void expect_echo(int signal, std::chrono::nanoseconds now);

  /// To be told of every signal that arrives: a stop signal throws away a SIGCONT that waits, and
  /// SIGCONT those (signal(7)), so that they are never passed on in the wrong order.
  void outdate(int arrived);

  /// Drops what has reached a helper meanwhile: `canary` says so of a signal, `witnessed` is as
  /// above. True when the canary had one, and so has to forget it.
  bool drop_seen(const std::function<bool(int)>& canary, std::uint64_t witnessed = 0);

  /// What has been held long enough, in the order of arrival; it is the caller's to pass on.
  [[nodiscard]] std::vector<int> take_due(std::chrono::nanoseconds now);

  /// Until the next look is due, at most `longest`.
  [[nodiscard]] std::chrono::milliseconds until_look(std::chrono::nanoseconds now,
                                                     std::chrono::milliseconds longest) const;

  [[nodiscard]] bool is_empty() const noexcept { return held_.empty(); }
  void clear() noexcept { held_.clear(); }

 private:
  struct Held {
    int signal;
    std::chrono::nanoseconds due;
    std::uint64_t witnessed;
    bool is_echo;  ///< Not to be passed on: it has been, or the child has its own.
  };
  std::vector<Held> held_;
};

/// What `held` has to pass on now, after a look at `canary`, which then forgets what it had. For a
/// process with no helper but that.
[[nodiscard]] std::vector<int> look_and_take_due(HeldSignals& held, Canary& canary);

/// True where the sender surely signals no other process of our tree any more: the kernel, a
/// timeout(1), a process below us, which has our pid from the tool (an editor or a hook that ends
/// the git above it), `parent` (the process that started us) when it has ended, whose last signal
/// is the one that PR_SET_PDEATHSIG asks for.
[[nodiscard]] bool knows_no_tree(const Signals::Arrived& arrived, pid_t parent) noexcept;

}  // namespace onelane::process
