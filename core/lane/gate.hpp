#pragma once

#include <memory>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// What a caller of the gate does when a signal is pending that would end it.
enum class Patience {
  UntilSignal,  ///< Gives up: GateInterrupted.
  Always,       ///< Goes on waiting; for the few lines that must happen.
};

/// Thrown by Gate when INT, TERM, HUP or QUIT is pending and the patience is UntilSignal.
struct GateInterrupted {};

/// The short critical section of a lane; holding a Gate object is the proof of being in it.
///
/// A `boost::interprocess::file_lock` on `<state>/gate`, constructed and destroyed inside
/// each section and never kept across a fork: such a lock belongs to the process, any
/// close of the file drops it, and a child does not inherit it (fcntl(2)). The kernel
/// frees it when its owner dies. One thread of a process at a time.
///
/// Blocks while another process is inside, which takes microseconds; a stopped owner is
/// waited for with growing pauses of at most 10 ms. Never wait for a lane byte in here.
class Gate {
 public:
  Gate(const Table& table, Patience patience);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onelane::lane
