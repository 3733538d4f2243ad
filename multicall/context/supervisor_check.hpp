#pragma once

#include <string>

#include "core/lane/live.hpp"
#include "core/process/may_signal.hpp"

namespace onelane::multicall {

/// Whether the process that `ticket` names may be signalled: it must be onelane and hold the lock
/// on the ticket's byte. The entry alone proves nothing: another user may be able to write to the
/// lane. With `pid`, that process is checked instead, as for a guardian. Reads only /proc.
[[nodiscard]] process::Spared why_spared(const lane::Table& table, const lane::LiveTicket& ticket,
                                         pid_t pid = 0);

/// Why the process of a ticket was not signalled, as one clause.
[[nodiscard]] std::string spared_words(const lane::LiveTicket& ticket);

}  // namespace onelane::multicall
