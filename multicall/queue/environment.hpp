#pragma once

#include <string>
#include <vector>

#include "core/queue/queue.hpp"

namespace onelane::multicall {

/// What an entry of the queue keeps of the caller's environment: everything but what belongs to a
/// process or to a place. What belongs to a place (terminal, agents and sockets of a session, the
/// files of a CI step) is of no use later, and may be another's by then.
[[nodiscard]] queue::Environment environment_to_keep();

/// The environment of the child that runs `entry`: what it has kept, what belongs to this place,
/// and for the record of its run
///
///   ONELANE_BATCH  the run id of the batch
///   ONELANE_LABEL  the entry's label
///
/// which ToolEnvironment takes out again.
[[nodiscard]] queue::Environment environment_to_start(const queue::Entry& entry,
                                                      const std::string& batch);

}  // namespace onelane::multicall
