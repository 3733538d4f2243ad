#pragma once

#include <string>
#include <vector>

#include "core/queue/queue.hpp"

namespace onelane::multicall {

/// What an entry of the queue keeps of the caller's environment: everything but variables of a
/// process or of a session (terminal, agents and sockets, files of a CI step). Those are useless
/// later, and may then lead to the session of another user.
[[nodiscard]] queue::Environment environment_to_keep();

/// The environment of the child that runs `entry`: what the entry has kept, what belongs to this
/// session, and for the record of the run
///
///   ONELANE_BATCH  the run id of the batch
///   ONELANE_LABEL  the entry's label
///
/// which ToolEnvironment removes again.
[[nodiscard]] queue::Environment environment_to_start(const queue::Entry& entry,
                                                      const std::string& batch);

}  // namespace onelane::multicall
