#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "core/process/canary.hpp"
#include "core/process/signals.hpp"

namespace onelane::process {

/// Signals that have reached us, but so far no other process of our tree, before they are passed
/// on.
///
/// A killer that lists our tree and signals one process after another (nodemon, tree-kill, an
/// agent) may begin with us: the tool then gets its own signal, and one from us would be a
/// duplicate. Such a killer signals our other helpers as well, so a signal is held until one of
/// them has it (drop it) or until a killer would have reached them (pass it on). The signal that a
/// slower killer leaves in the canary later, its echo, is waited for as well, because the canary
/// must forget it. Uses no clock and makes no system call.
class HeldSignals {
 public:
  /// How long a killer may take from us to the next of our processes.
  static constexpr std::chrono::milliseconds kLongest{60};
  /// How long to wait for the echo.
  static constexpr std::chrono::milliseconds kEcho{1'000};

  /// `witnessed`: signals pending in a helper that may not have forgotten earlier ones yet, as bit
  /// signal - 1. A signal pending there counts as new only after it was seen not pending.
  void hold(int signal, std::chrono::nanoseconds now, std::uint64_t witnessed = 0);

  /// For a signal that is passed on at once: only its echo is waited for.
  void expect_echo(int signal, std::chrono::nanoseconds now);

  /// Call it for every signal that arrives: a stop signal discards a held SIGCONT, and SIGCONT
  /// discards held stop signals (signal(7)), so that they are never passed on in the wrong order.
  void outdate(int arrived);

  /// Drops signals that have reached a helper meanwhile: `canary` tells for one signal, `witnessed`
  /// is as above. True when the canary had one, and therefore has to forget it.
  bool drop_seen(const std::function<bool(int)>& canary, std::uint64_t witnessed = 0);

  /// Signals that have been held long enough, in the order of arrival, for the caller to pass on.
  [[nodiscard]] std::vector<int> take_due(std::chrono::nanoseconds now);

  /// Time until the next look is due, at most `longest`.
  [[nodiscard]] std::chrono::milliseconds until_look(std::chrono::nanoseconds now,
                                                     std::chrono::milliseconds longest) const;

  [[nodiscard]] bool is_empty() const noexcept { return held_.empty(); }
  void clear() noexcept { held_.clear(); }

 private:
  struct Held {
    int signal;
    std::chrono::nanoseconds due;
    std::uint64_t witnessed;
    bool is_echo;  ///< Not to be passed on: it already was, or the child has its own.
  };
  std::vector<Held> held_;
};

/// The signals of `held` to pass on now, after a look at `canary`, which then forgets what it had.
/// For a process whose only helper is the canary.
[[nodiscard]] std::vector<int> look_and_take_due(HeldSignals& held, Canary& canary);

/// True when the sender certainly signals no other process of our tree: the kernel; a timeout(1); a
/// process below us, which has our pid from the tool (an editor or a hook that ends the git above
/// it); or `parent` (the process that started us) when it has ended, whose last signal is the one
/// requested with PR_SET_PDEATHSIG.
[[nodiscard]] bool knows_no_tree(const Signals::Arrived& arrived, pid_t parent) noexcept;

}  // namespace onelane::process
