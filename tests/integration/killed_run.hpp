#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/sandbox.hpp"

namespace onelane::test {

/// The supervisor's child in a session of its own, once it is there.
[[nodiscard]] pid_t guardian_of(pid_t supervisor);

/// A run whose tool has spawned a worker and stays: `make` with `preparation` done by the worker.
/// Traces `worker` and `ready`; both hold until the gate opens, then the worker traces `late`.
class WorkerRun {
 public:
  WorkerRun(Sandbox& sandbox, const std::vector<std::string>& preparation,
            const std::vector<std::string>& tool_first = {});
  [[nodiscard]] pid_t supervisor() const { return running_->pid(); }
  [[nodiscard]] pid_t tool() const { return tool_; }
  [[nodiscard]] pid_t worker() const { return worker_; }
  [[nodiscard]] Running& running() { return *running_; }
  /// As `onelane status` shows it.
  [[nodiscard]] const std::string& id() const { return id_; }
  void open_gate() { gate_.open(); }
  /// Kills the supervisor, and waits for it.
  void kill_supervisor();
  /// Kills supervisor and guardian, and waits until the tool has ended with them: no process clears
  /// away after the run.
  void kill_both();

 private:
  Gate gate_;
  std::optional<Running> running_;
  pid_t tool_ = -1;
  pid_t worker_ = -1;
  std::string id_;
};

}  // namespace onelane::test
