#pragma once

#include <sys/types.h>

#include <chrono>
#include <iosfwd>

namespace onelane::test {

/// The orders in which killers signal the processes on their list.
enum class WalkOrder {
  Levels,     ///< The root, its children, then theirs: nodemon, `pgrep -P` in a loop.
  Preorder,   ///< Each process before its children, older ones first.
  LastFirst,  ///< Each process before its children, younger ones first: a stack of pids.
  Children,   ///< The children of each process, then the process itself: tree-kill.
  LeafFirst,  ///< Each process after its children.
};
[[nodiscard]] const char* name_of(WalkOrder order);

/// A killer that lists a tree and then signals one process after another.
struct Walk {
  WalkOrder order;
  std::chrono::milliseconds pause;  ///< From one process to the next.
};
void PrintTo(const Walk& walk, std::ostream* out);

/// Signals `root` and everything below it. Returns whether it got from the root to the next process
/// as fast as requested, which it may not on a busy machine.
[[nodiscard]] bool walk_tree(pid_t root, int signal, const Walk& walk);

}  // namespace onelane::test
