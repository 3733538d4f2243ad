#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
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

/// What a caller of the gate does when a signal that would end it is pending.
enum class Patience {
  UntilSignal,  ///< Gives up: GateInterrupted.
  Always,       ///< Goes on waiting; for the few steps that must happen.
};

/// Thrown by Gate when INT, TERM, HUP or QUIT is pending and the patience is UntilSignal.
struct GateInterrupted {};

/// The short critical section of a lane; holding a Gate object proves that the caller is inside.
///
/// A `boost::interprocess::file_lock` on `<state>/gate`, constructed and destroyed inside each
/// section and never kept across a fork: such a lock belongs to the process, is dropped when any
/// descriptor of the file is closed, and is not inherited by a child (fcntl(2)). The kernel frees
/// it when its owner dies. Used by one thread of a process at a time.
///
/// Blocks while another process is inside, which takes microseconds. Never wait for a lane byte in
/// here.
class Gate {
 public:
  /// Waits as long as it takes, with growing pauses of at most 10 ms.
  Gate(const Table& table, Patience patience);
  /// Empty when one process stays inside, according to `look`: for a quarter of a second after it
  /// was first found there.
  [[nodiscard]] static std::optional<Gate> try_enter(const Table& table, Patience patience,
                                                     GateLook& look);
  [[nodiscard]] static std::optional<Gate> try_enter(const Table& table, Patience patience);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  Gate(Gate&& other) noexcept;
  Gate& operator=(Gate&&) = delete;
  ~Gate();

 private:
  struct Impl;
  explicit Gate(const Table& table);
  [[nodiscard]] bool enter(const Table& table, Patience patience, GateLook* look);

  std::unique_ptr<Impl> impl_;
};

/// Takes the gate for a change that a user asked for. Throws SystemError naming the process that
/// stays inside.
[[nodiscard]] Gate enter_or_name_holder(const Table& table);

}  // namespace onelane::lane
