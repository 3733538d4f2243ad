#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/lane/ticket.hpp"
#include "core/process/signals.hpp"
#include "core/settings/settings.hpp"

namespace onelane::multicall {

/// Whether the machine has room for another run: MIN_FREE_MEMORY_MB, MAX_LOAD and
/// MAX_MEMORY_PRESSURE, all off by default. Borrows `settings`.
class Admission {
 public:
  explicit Admission(const settings::Settings& settings) : settings_{settings} {}

  /// False if none of these is set: then there is no need to ask for an objection.
  [[nodiscard]] bool is_on() const noexcept;
  /// Why a run should not start now, for the waiting notice; nothing if it may. Three small reads.
  [[nodiscard]] std::optional<std::string> objection() const;
  /// True with ADMISSION=refuse: exit 75 instead of waiting.
  [[nodiscard]] bool refuses() const noexcept;

 private:
  const settings::Settings& settings_;
};

/// How a wait for the lane ended.
struct WaitEnd {
  enum class End {
    Started,   ///< We hold the lane; say `why` when the tool starts, unless it is empty.
    Signal,    ///< We have left the queue: die of `signal`.
    GaveUp,    ///< Exit 75; `why`: a timeout, --no-wait, cancelled, or a deadlock.
    Gone,      ///< The lane file was replaced or removed: look for the lane again.
    Unqueued,  ///< Run without the lane; `why` gives the reason.
    Nested,    ///< Run without the lane: the run that holds it made this call.
  };
  End end = End::Started;
  int signal = 0;
  std::string why;
};

struct WaitOptions {
  std::function<void()> placed;  ///< Called once, when the ticket has its place; may be empty.
  std::string lane_name;
  std::string state_dir;  ///< The state directory, whose journal tells how long runs take.
  bool quiet = false;
  /// The holder is in another PID namespace and may be our ancestor: say which variable
  /// would prove it, and give up after `namespace_wait`.
  bool unprovable = false;
  bool is_hidden = false;  ///< Unprovable because /proc hides ancestors, not for the namespace.
  /// Asked when the holder keeps the lane for processes that it left in the background: this call
  /// may be one of theirs. May be empty.
  std::function<bool()> is_nested;
  const Admission* admission = nullptr;           ///< Asked when it is our turn; may be null.
  bool run_on_deadlock = false;                   ///< Unqueued instead of GaveUp on a deadlock.
  bool run_when_over = false;                     ///< Unqueued instead of GaveUp after `limit`.
  std::optional<std::chrono::nanoseconds> limit;  ///< Longest wait, 0 for none; nothing: no limit.
  std::chrono::milliseconds namespace_wait{600'000};
  std::chrono::milliseconds rejoin{0};  ///< How long our place is kept after TERM or HUP.
};

/// After TERM or HUP, as agents send to a command that takes long, the caller may come back for its
/// place; INT and QUIT mean to leave for good.
[[nodiscard]] lane::Leaving leaving_by(int signal) noexcept;

/// Waits until `ticket` has the lane. Blocks in poll(2) for wake-ups of the ticket, for signals,
/// and until the next message is due. INT, TERM, HUP and QUIT leave the queue at once, as
/// leaving_by() says; TSTP parks the ticket and stops us.
[[nodiscard]] WaitEnd wait_turn(lane::Ticket& ticket, const process::Signals& signals,
                                const WaitOptions& options);

}  // namespace onelane::multicall
