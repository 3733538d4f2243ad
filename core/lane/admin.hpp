#pragma once

#include <string_view>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// What an administrator does to a lane; none of it takes the lane. Each blocks only for
/// the gate and throws SystemError when the lane file cannot be written, or a process stays inside
/// the gate.

/// Makes a queued ticket leave with Step::Cancelled; the next one is granted at once, also when
/// the owner of this one is stopped and cannot leave. False when no such ticket waits.
bool cancel(const Table& table, std::string_view run_id);

/// Gives a waiting ticket a priority. A granted one is never moved; false then.
bool set_priority(const Table& table, std::string_view run_id, int priority);

/// Gives a waiting ticket a priority above those of all others that wait (beyond 100 if need be),
/// unless it is their first already. A granted one is never moved; false then.
bool bump(const Table& table, std::string_view run_id);

/// Pauses the lane (the holder finishes, the granted ticket does not start) in the name of the
/// calling user, or lets it go on. `reason` is cut at 95 bytes. False when the lane was so
/// already: who paused it first stays the one who did.
bool set_held(const Table& table, bool held, std::string_view reason = {});

}  // namespace onelane::lane
