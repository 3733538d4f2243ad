#pragma once

#include <chrono>
#include <optional>

#include "core/queue/store.hpp"
#include "multicall/context/lanes_here.hpp"

namespace onelane::multicall {

/// How the queue is run.
struct BatchOptions {
  std::optional<std::chrono::milliseconds> pipeline_timeout;  ///< For all entries together.
  bool keep_going = false;                                    ///< A failure does not end it.
  bool until_closed = false;  ///< An empty queue does not end it, as long as it is open.
  bool again = false;         ///< What was interrupted is run again.
  bool as_json = false;
};

/// Runs the caller's queue: each entry as a run of its own, one after the other, in the order they
/// have when their turn comes, those included that are added meanwhile. Says how it goes on
/// standard error, writes one record of the batch to the journal, and returns its exit code; does
/// not return when a signal has ended it.
///
/// 0 when everything passed, else the code of the first failure (the highest with `keep_going`),
/// 75 when `onelane queue stop` left entries, or somebody else runs the queue, 124 at the time
/// limit, 1 when entries were interrupted before and `again` is not asked for. Throws SystemError.
[[nodiscard]] int run_batch(const LanesHere& lanes, queue::Store& store,
                            const BatchOptions& options);

}  // namespace onelane::multicall
