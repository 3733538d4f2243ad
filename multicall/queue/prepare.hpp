#pragma once

#include <optional>

#include "core/queue/store.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/queue/run.hpp"

namespace onelane::multicall {

/// Makes the queue ready for a batch, which the caller alone may start: what a killed start has
/// left is interrupted and its batch gets a record, what has ended is forgotten. An exit code when
/// there is nothing to run, having said why. Throws SystemError.
[[nodiscard]] std::optional<int> prepare_batch(const LanesHere& lanes, queue::Store& store,
                                               const BatchOptions& options);

}  // namespace onelane::multicall
