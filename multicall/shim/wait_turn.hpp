#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/lane/ticket.hpp"
#include "core/process/signals.hpp"
#include "multicall/shim/admission.hpp"

namespace onelane::multicall {

/// How a wait for the lane ended.
struct WaitEnd {
  enum class End {
    Started,   ///< We hold the lane; `why` is to be said when the tool starts, unless empty.
    Signal,    ///< Die of `signal`: the queue has been left.
    GaveUp,    ///< Exit 75, `why` says why: time, --no-wait, cancelled, deadlock.
    Gone,      ///< The lane file was replaced or removed: look for the lane again.
    Unqueued,  ///< Run without the lane, `why` says why.
    Nested,    ///< Run without the lane: the call was made by the run that holds it.
  };
  End end = End::Started;
  int signal = 0;
  std::string why;
};

struct WaitOptions {
  std::function<void()> placed;  ///< Called once the ticket has its place; may be empty.
  std::string lane_name;
  std::string state_dir;  ///< Whose journal tells how long runs take.
  bool quiet = false;
  /// The holder is in another PID namespace and may be our ancestor: say which variable
  /// would prove it, and give up after `namespace_wait`.
  bool unprovable = false;
  bool is_hidden = false;  ///< Because /proc hides ancestors, not because of a namespace.
  /// Asked when the holder has come to hold the lane for what it has left in the background, of
  /// which this call may be; may be empty.
  std::function<bool()> is_nested;
  const Admission* admission = nullptr;           ///< Asked when it is our turn; null for no.
  bool run_on_deadlock = false;                   ///< Unqueued instead of GaveUp.
  bool run_when_over = false;                     ///< The same when `limit` is over.
  std::optional<std::chrono::nanoseconds> limit;  ///< Of the wait; 0: none, nothing: for ever.
  std::chrono::milliseconds namespace_wait{600'000};
  std::chrono::milliseconds rejoin{0};  ///< How long our place stays when we are told to end.
};

/// Whoever is ended, as agents end what takes long, may come back; INT and QUIT are the wish to
/// leave.
[[nodiscard]] lane::Leaving leaving_by(int signal) noexcept;

/// Waits until `ticket` has the lane. Blocks in poll(2) on the ticket's wake-ups, signals
/// and the next moment something has to be said; no polling. INT, TERM, HUP and QUIT leave
/// the queue at once, as leaving_by() says; TSTP parks the ticket and stops us.
[[nodiscard]] WaitEnd wait_turn(lane::Ticket& ticket, const process::Signals& signals,
                                const WaitOptions& options);

}  // namespace onelane::multicall
