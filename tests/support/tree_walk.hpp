#pragma once

#include <sys/types.h>

#include <chrono>
#include <iosfwd>

namespace onelane::test {

/// The orders in which killers signal the processes that they have listed.
enum class WalkOrder {
  Levels,     ///< The root, its children, theirs: nodemon, `pgrep -P` in a loop.
  Preorder,   ///< Each process before its children, older ones first.
  LastFirst,  ///< Each process before its children, younger ones first: a stack of pids.
  Children,   ///< The children of each process and then itself: tree-kill.
  LeafFirst,  ///< Each process after its children.
};
[[nodiscard]] const char* name_of(WalkOrder order);

/// A killer that lists a tree and then signals one process after the other.
struct Walk {
  WalkOrder order;
  std::chrono::milliseconds pause;  ///< From one process to the next.
};
void PrintTo(const Walk& walk, std::ostream* out);

/// Signals `root` and all below it. Whether it came from the root to the next process as fast as
/// it was to: on a busy machine it may not.
[[nodiscard]] bool walk_tree(pid_t root, int signal, const Walk& walk);

}  // namespace onelane::test
