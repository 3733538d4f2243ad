#pragma once

#include <memory>
#include <optional>

#include "core/lane/gate_holder.hpp"
#include "core/lane/table.hpp"

namespace onelane::lane {

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
