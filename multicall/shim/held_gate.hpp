#pragma once

#include "core/lane/ticket.hpp"
#include "core/process/signals.hpp"
#include "multicall/shim/run.hpp"

namespace onelane::multicall {

/// What a call does beside the wait for its turn where a process stays inside the gate.

/// Lists a service. One that needs no lane is not kept from running by what is wrong with it: says
/// why it is on no list then.
void enlist_service(lane::Ticket& ticket, const Plan& plan);

/// Ticket::begin(), waited for: says what for. An ending signal ends us.
[[nodiscard]] lane::Begun begin(lane::Ticket& ticket, const Plan& plan,
                                const process::Signals& signals);

}  // namespace onelane::multicall
