#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>

#include "core/lane/table.hpp"
#include "core/sys/process.hpp"

namespace onelane::lane {

/// The process that is inside a lane's gate.
struct GateHolder {
  pid_t pid = 0;  ///< 0: it cannot be seen from our PID namespace.
  /// Its state in /proc is that of one that waits for a processor, or has one.
  bool is_runnable = false;
  bool is_stopped = false;  ///< By a signal or a debugger.
  bool is_frozen = false;   ///< By its control group (cgroup.freeze, cgroups(7)).
  friend bool operator==(const GateHolder&, const GateHolder&) = default;
};

/// "make test (pid 12, stopped)"; printable.
[[nodiscard]] std::string words_of(const GateHolder& holder);

/// Tells a gate that a process keeps from one that is only busy: a section takes microseconds,
/// so who is found inside at every look for a quarter of a second is stopped, frozen or hangs. One
/// that is runnable may lack a processor, and one that cannot be seen may be many: they get longer.
///
/// Never to be asked by a process that is inside: closing the gate's file would let its own
/// lock go (fcntl(2)).
class GateLook {
 public:
  explicit GateLook(const Table& table) : table_{table} {}

  /// Looks once more, without blocking. True once one process stays inside.
  [[nodiscard]] bool is_held();
  /// Who was inside at the last look, if any process was.
  [[nodiscard]] const std::optional<GateHolder>& holder() const noexcept { return holder_; }

 private:
  const Table& table_;
  std::optional<GateHolder> holder_;
  std::chrono::nanoseconds since_{};
};

/// Who stays inside the gate of a lane. Returns at once where the gate is free, else as soon as
/// a process leaves it, at most after 0.4 s.
[[nodiscard]] std::optional<GateHolder> find_gate_holder(const Table& table);

}  // namespace onelane::lane
