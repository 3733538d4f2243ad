#pragma once

#include <optional>

#include "core/queue/store.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/queue/run.hpp"

namespace onelane::multicall {

/// Makes the queue ready for a batch; the caller must be its starter. Marks entries of a killed
/// batch as interrupted and records that batch, and removes entries that have ended. If there is
/// nothing to run, says why and returns an exit code. Throws SystemError.
[[nodiscard]] std::optional<int> prepare_batch(const LanesHere& lanes, queue::Store& store,
                                               const BatchOptions& options);

}  // namespace onelane::multicall
