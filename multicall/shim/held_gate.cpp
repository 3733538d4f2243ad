#include "multicall/shim/held_gate.hpp"

#include "multicall/shim/notice.hpp"
#include "multicall/shim/pause.hpp"
#include "multicall/shim/wait_turn.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {

void enlist_service(lane::Ticket& ticket, const Plan& plan) {
  if (!ticket.enlist_service() && ticket.gate_holder()) {
    say(words(*plan.call, 60) + " is on no list of lane '" + plan.project.name +
        "': " + gate_words(ticket));
  }
}

lane::Begun begin(lane::Ticket& ticket, const Plan& plan, const process::Signals& signals) {
  lane::Begun begun = ticket.begin();
  if (begun == lane::Begun::GateHeld) {
    say("waiting for lane '" + plan.project.name + "' · " + gate_words(ticket));
  }
  while (begun == lane::Begun::GateHeld) {
    if (const int signal = pause(signals, std::chrono::milliseconds{0})) {
      ticket.leave(leaving_by(signal));
      process::die_of(signal);
    }
    begun = ticket.begin();
  }
  return begun;
}

}  // namespace onelane::multicall
