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
  pid_t pid = 0;  ///< 0 when it cannot be seen from our PID namespace.
  /// Its state in /proc says that it has a processor or waits for one.
  bool is_runnable = false;
  bool is_stopped = false;  ///< By a signal or a debugger.
  bool is_frozen = false;   ///< By its control group (cgroup.freeze, cgroups(7)).
  friend bool operator==(const GateHolder&, const GateHolder&) = default;
};

/// "make test (pid 12, stopped)"; printable.
[[nodiscard]] std::string words_of(const GateHolder& holder);

/// Tells a gate held by one process from one that is merely busy. A section takes microseconds, so
/// a process found inside at every look for a quarter of a second is stopped, frozen or hung. A
/// runnable process may lack a processor, and an invisible one may be several: they get longer.
///
/// Must not be used by a process that is inside: closing the gate's file would drop its own lock
/// (fcntl(2)).
class GateLook {
 public:
  explicit GateLook(const Table& table) : table_{table} {}

  /// Looks once more, without blocking. True once one process stays inside.
  [[nodiscard]] bool is_held();
  /// The process inside at the last look, if any.
  [[nodiscard]] const std::optional<GateHolder>& holder() const noexcept { return holder_; }

 private:
  const Table& table_;
  std::optional<GateHolder> holder_;
  std::chrono::nanoseconds since_{};
};

/// Finds the process that stays inside the gate of a lane. Returns at once when the gate is free,
/// else as soon as a process leaves it, after 0.4 s at most.
[[nodiscard]] std::optional<GateHolder> find_gate_holder(const Table& table);

}  // namespace onelane::lane
