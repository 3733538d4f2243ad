#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "core/process/canary.hpp"
#include "core/process/held_signals.hpp"
#include "core/process/signals.hpp"
#include "multicall/job/capture/stream.hpp"
#include "multicall/job/capture/telling.hpp"
#include "multicall/job/capture/terminal.hpp"

namespace onelane::multicall::capture {

/// The work of the process between a captured run and its caller: copies the run's output, passes
/// on signals that only this process got, stops and continues with the run. One thread; blocks in
/// poll(2).
class Outer {
 public:
  /// `run` is our child; `canary` was started before it. Borrows the others; `pty` may be null.
  Outer(pid_t run, const process::Signals& signals, process::Canary& canary,
        std::vector<Stream>& streams, Listener& listener, PtyBridge* pty);

  /// Copies until the run has ended; returns its wait status. By then all output has been read and,
  /// unless an ending signal arrives meanwhile, passed on.
  [[nodiscard]] int pump();
  /// Reads everything that the run has written so far.
  void drain() noexcept;

 private:
  void step();
  /// The timeout for poll(2): until a sign is due.
  [[nodiscard]] int longest_pause() const;
  void read_signals();
  void handle(const process::Signals::Arrived& arrived);
  void pass_on(const process::Signals::Arrived& arrived);
  void look_at_held();
  void look_after_run();
  void stop_with_run(int signal);
  void flush();

  pid_t run_;
  const process::Signals& signals_;
  std::vector<Stream>& streams_;
  Listener& listener_;
  PtyBridge* pty_;
  process::Canary& canary_;
  process::HeldSignals held_;
  pid_t parent_;
  std::optional<int> wait_status_;
  bool was_interrupted_ = false;  ///< An ending signal arrived after the run's end.
};

}  // namespace onelane::multicall::capture
