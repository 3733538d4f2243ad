#pragma once

#include <string_view>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// What an administrator does to a lane; none of it takes the lane. Each blocks only for
/// the gate and throws SystemError when the lane file cannot be written.

/// Makes a queued ticket leave with Step::Cancelled. False when no such ticket waits.
bool cancel(const Table& table, std::string_view run_id);

/// Gives a waiting ticket a priority. A granted one is never moved; false then.
bool set_priority(const Table& table, std::string_view run_id, int priority);

/// Pauses the lane: the holder finishes, the granted ticket does not start.
void set_held(const Table& table, bool held);

}  // namespace onelane::lane
