#pragma once

#include <chrono>
#include <optional>

#include "core/queue/store.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/queue/child.hpp"

namespace onelane::multicall {

/// How the queue is run.
struct StartOptions {
  CommandMain run_command = nullptr;  ///< Carries out `onelane run`, for an entry.
  std::optional<std::chrono::milliseconds> pipeline_timeout;  ///< For all entries together.
  bool keep_going = false;                                    ///< Go on after a failure.
  bool until_closed = false;  ///< Wait for more entries until the queue is closed.
  bool again = false;         ///< Run interrupted entries again.
  bool as_json = false;
};

/// Runs the caller's queue: each entry as a run of its own, one after the other, in the order that
/// the queue has at that moment, with entries that are added meanwhile. Reports progress on
/// standard error, appends one record of the queue start to the journal, and returns the exit code;
/// does not return if a signal ended it. Blocks until the queue is done.
///
/// 0 if everything passed, else the code of the first failure (the highest with `keep_going`); 75
/// if `onelane queue stop` left entries or another process runs the queue; 124 at the time limit; 1
/// if entries were interrupted before and `again` is off. Throws SystemError.
[[nodiscard]] int run_queue(const LanesHere& lanes, queue::Store& store,
                            const StartOptions& options);

/// Makes the queue ready for a queue start; the caller must be its starter. Marks entries of a
/// killed queue start as interrupted and records that, and removes entries that have ended. If
/// there is nothing to run, says why and returns an exit code. Throws SystemError.
[[nodiscard]] std::optional<int> prepare_queue(const LanesHere& lanes, queue::Store& store,
                                               const StartOptions& options);

}  // namespace onelane::multicall
