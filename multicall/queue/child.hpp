#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "core/process/canary.hpp"
#include "core/process/held_signals.hpp"
#include "core/process/signals.hpp"
#include "core/queue/queue.hpp"

namespace onelane::multicall {

/// Runs the entries of a batch, one at a time, each as a child `onelane run`, and answers the
/// signals that come meanwhile. One object a process, made before any thread.
///
/// The child is in our process group and terminal. A signal that went to the group has reached it
/// already; one that came to us alone is passed on, as process::HeldSignals says. INT, TERM, HUP
/// and QUIT end the batch once the child has ended.
class BatchChild {
 public:
  /// At `deadline` (monotonic) the child is told to end (process::order_stop); after
  /// `patience` more it is killed.
  BatchChild(std::optional<std::chrono::nanoseconds> deadline, std::chrono::nanoseconds patience);
  BatchChild(const BatchChild&) = delete;
  BatchChild& operator=(const BatchChild&) = delete;
  ~BatchChild() { canary_.end(); }

  /// Its wait status (waitpid(2)), or nothing when it could not be started; errno says why.
  /// Blocks until it has ended. Leaves us in the entry's directory.
  [[nodiscard]] std::optional<int> run(const queue::Entry& entry, const std::string& batch);

  /// Blocks until `watch` (-1 for none: a second) is readable, a signal came, or the deadline is
  /// over.
  void idle(int watch);

  /// The signal that ends the batch, 0 for none.
  [[nodiscard]] int signal() const noexcept { return signal_; }
  [[nodiscard]] bool is_timed_out() const noexcept { return is_timed_out_; }

 private:
  void poll_until(int watch, std::optional<std::chrono::milliseconds> at_most);
  void answer_signals();
  void answer(const process::Signals::Arrived& arrived);
  void look_at_held();
  void look_at_the_clock();

  std::optional<std::chrono::nanoseconds> deadline_;
  std::chrono::nanoseconds patience_;
  process::Signals signals_;
  process::Canary canary_;
  process::HeldSignals held_;
  pid_t parent_;
  pid_t pid_ = -1;  ///< Of the child, -1 between two.
  int signal_ = 0;
  bool is_timed_out_ = false;
};

}  // namespace onelane::multicall
