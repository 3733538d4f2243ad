#pragma once

#include <string>

#include "core/lane/live.hpp"
#include "core/process/may_signal.hpp"

namespace onelane::multicall {

/// Whether the process that `ticket` names may be signalled for it: it is a onelane that has the
/// ticket's place, as the kernel says of the lock on its byte. A lane that others may write to may
/// name any process. The process behind `pid`, which may be its guardian, is looked at instead
/// where that is given. Reads /proc alone.
[[nodiscard]] process::Spared why_spared(const lane::Table& table, const lane::LiveTicket& ticket,
                                         pid_t pid = 0);

/// What to say of a ticket whose process is spared: one clause.
[[nodiscard]] std::string spared_words(const lane::LiveTicket& ticket);

}  // namespace onelane::multicall
