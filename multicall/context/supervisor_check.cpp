#include "multicall/context/supervisor_check.hpp"

#include <unistd.h>

#include "core/sys/users.hpp"
#include "multicall/context/orphan_rules.hpp"

namespace onelane::multicall {

process::Spared why_spared(const lane::Table& table, const lane::LiveTicket& ticket, pid_t pid) {
  process::Target target;
  target.as = process::Target::As::Supervisor;
  target.id = ticket.entry.supervisor();
  if (pid != 0) {
    const auto stat = sys::read_stat(pid);
    target.id = stat ? stat->id : sys::ProcessId{pid, 0};
  }
  target.boot = ticket.entry.boot;
  target.run_id = lane::view(ticket.entry.run_id);
  process::SignalRules rules;
  rules.is_onelane = &is_onelane_process;
  rules.has_place = [&](pid_t which) { return lane::has_slot(table, ticket.slot, which); };
  return process::SignalJudge{std::move(rules)}.judge(target);
}

std::string spared_words(const lane::LiveTicket& ticket) {
  const pid_t pid = ticket.entry.pid;
  const auto user = sys::real_user(pid);
  if (user && ::geteuid() != 0 && *user != ::geteuid()) {
    return "it belongs to " + sys::user_name(*user) + ": only they and root may end it";
  }
  return "its entry in the lane names pid " + std::to_string(pid) +
         ", which does not have its place there; nothing was signalled";
}

}  // namespace onelane::multicall
