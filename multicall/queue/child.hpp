#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/process/canary.hpp"
#include "core/process/held_signals.hpp"
#include "core/process/signals.hpp"
#include "core/queue/queue.hpp"

namespace onelane::multicall {

/// What main() does with the words of an administration command.
using CommandMain = int (*)(int argc, char** argv);

/// Work that is due while an entry runs.
struct Chore {
  std::optional<std::chrono::nanoseconds> due;  ///< Monotonic time.
  std::function<void()> act;
};

/// Runs the entries of a queue start one at a time, each as a child that does what `onelane run`
/// does, and handles signals meanwhile. One object per process, constructed before any thread.
///
/// The child is forked and enters the command itself. An execve(2) of the same file would only put
/// the same program there again, and takes 0.3 ms of the 2.2 that an entry of `true` then takes. To
/// run the entry in this process is no choice, although it would save the fork, too: a run ends its
/// process the way its tool has ended, or stays in it behind the tool (a lane call in the
/// background, a service); it gives the caller's descriptors away, so that no pipe stays open; and
/// as a subreaper it adopts what its tool keeps, which the next run would take for its own.
///
/// The child shares our process group and terminal. A signal to the group has reached it already;
/// one to this process alone is passed on, as process::HeldSignals says. INT, TERM, HUP and QUIT
/// end the queue start once the child has ended.
class QueueChild {
 public:
  /// `command` is what the child enters. At `deadline` (monotonic time) the child is told to end
  /// (process::order_stop); it is killed `patience` later.
  QueueChild(CommandMain command, std::optional<std::chrono::nanoseconds> deadline,
             std::chrono::nanoseconds patience);
  QueueChild(const QueueChild&) = delete;
  QueueChild& operator=(const QueueChild&) = delete;
  ~QueueChild() { canary_.end(); }

  /// Runs one entry and blocks until it has ended; does `chore` when it is due, unless the entry
  /// has ended by then. Returns its wait status (waitpid(2)), or nothing if it could not be
  /// started; then errno says why. Changes to the entry's directory.
  [[nodiscard]] std::optional<int> run(const queue::Entry& entry, const std::string& queue_start,
                                       const Chore& chore);

  /// Blocks until `watch` is readable (with -1: for a second), a signal arrives, or the deadline
  /// passes.
  void idle(int watch);

  /// The signal that ends the queue start; 0 for none.
  [[nodiscard]] int signal() const noexcept { return signal_; }
  [[nodiscard]] bool is_timed_out() const noexcept { return is_timed_out_; }

 private:
  [[noreturn]] void become_run(const queue::Entry& entry, const std::string& queue_start,
                               pid_t starter);
  void poll_until(int watch, std::optional<std::chrono::milliseconds> at_most);
  void answer_signals();
  void answer(const process::Signals::Arrived& arrived);
  void look_at_held();
  void look_at_the_clock();

  CommandMain command_;
  std::optional<std::chrono::nanoseconds> deadline_;
  std::chrono::nanoseconds patience_;
  process::Signals signals_;
  process::Canary canary_;
  process::HeldSignals held_;
  pid_t parent_;
  pid_t pid_ = -1;  ///< The child; -1 while there is none.
  int signal_ = 0;
  bool is_timed_out_ = false;
};

/// What an entry of the queue keeps of the caller's environment: everything but variables of a
/// process or of a session (terminal, agents and sockets, files of a CI step). Those are useless
/// later, and may then lead to the session of another user.
[[nodiscard]] queue::Environment environment_to_keep();

/// The environment of the child that runs `entry`: what the entry has kept, what belongs to this
/// session, and for the record of the run
///
///   ONELANE_QUEUE_START  the run id of the queue start
///   ONELANE_LABEL  the entry's label
///
/// which ToolEnvironment removes again.
[[nodiscard]] queue::Environment environment_to_start(const queue::Entry& entry,
                                                      const std::string& queue_start);

}  // namespace onelane::multicall
