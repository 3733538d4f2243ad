#pragma once

#include <string_view>

#include "core/lane/table.hpp"

namespace onelane::lane {

/// Administrative changes to a lane; none of them takes the lane. Each blocks only for the gate,
/// and throws SystemError when the lane file cannot be written or a process stays inside the gate.

/// Makes a queued ticket leave with Step::Cancelled. The next one is granted at once, even when the
/// cancelled ticket's owner is stopped and cannot leave. False when no such ticket waits.
bool cancel(const Table& table, std::string_view run_id);

/// Gives a waiting ticket a priority. False for a granted ticket, which is never moved.
bool set_priority(const Table& table, std::string_view run_id, int priority);

/// Gives a waiting ticket a priority above all others that wait (beyond 100 if necessary), unless
/// it is first already. False for a granted ticket, which is never moved.
bool bump(const Table& table, std::string_view run_id);

/// Puts the lane on hold in the name of the calling user (the holder finishes, the granted ticket
/// does not start), or lifts the hold. `reason` is cut at 95 bytes. False when the lane is in that
/// state already; a second hold does not change who holds it.
bool set_held(const Table& table, bool held, std::string_view reason = {});

}  // namespace onelane::lane
