#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/sys/text.hpp"
#include "multicall/steer/end_run.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

/// A process, recorded before it is ended while its command can still be read.
struct Victim {
  sys::ProcessId id;
  std::string command;
};

bool lives(const Victim& victim) {
  const auto stat = sys::read_stat(victim.id.pid);
  return stat && stat->id == victim.id && !stat->has_ended();
}

Victim victim_of(const sys::ProcessStat& stat) {
  return {stat.id, sys::command_line(stat.id.pid, 80)};
}

/// One call of the verb.
class Steal {
 public:
  Steal(const LanesHere& lanes, bool as_json)
      : lanes_{lanes}, endings_{lanes, as_json}, as_json_{as_json} {}

  int run(const std::string& id) {
    const auto found = find_ticket(lanes_, id);
    if (found && !found->has_started()) {
      say_always(name_of(*found) + " only waits: `onelane cancel " + id + "` makes it leave");
      return 1;
    }
    if (!found && !endings_.book().has(id)) {
      say_always("no run " + sys::clean(id) + " here" +
                 list_words(find_tickets(lanes_), &has_started, "run"));
      return 1;
    }
    if (found) {
      note_tree(*found);
      endings_.end(*found, Manner::Forceful);
    } else {
      note_orphans(id);
      endings_.tell("run " + id + " has ended already");
      endings_.clear(id);
    }
    report();
    return endings_.code();
  }

 private:
  void note_tree(const Found& found) {
    TicketView ticket;
    if (found.ticket.entry.pid_namespace == sys::pid_namespace()) {
      ticket.supervisor = found.ticket.entry.supervisor();
    }
    for (const ProcessView& process : processes_of(ticket)) {
      victims_.push_back(victim_of(process.stat));
    }
  }

  void note_orphans(const std::string& id) {
    process::OrphanRules rules = orphan_rules(&lanes_, endings_.book());
    rules.occasion = process::Occasion::Stop;
    rules.is_wanted = [&](std::string_view wanted) { return wanted == id; };
    for (const process::Orphan& orphan : process::OrphanWatch{std::move(rules)}.scan().orphans) {
      victims_.push_back(victim_of(orphan.stat));
    }
  }

  void report() {
    std::erase_if(victims_, &lives);
    json processes = json::array();
    for (const Victim& victim : victims_) {
      endings_.tell(fmt::format("  {} (pid {})", victim.command, victim.id.pid));
      processes.push_back({{"pid", victim.id.pid}, {"command", victim.command}});
    }
    if (as_json_) {
      json out = endings_.report();
      out["processes"] = processes;
      print_json(out);
    }
  }

  const LanesHere& lanes_;
  Endings endings_;
  const bool as_json_;
  std::vector<Victim> victims_;
};

int command_steal(std::span<char*> args) {
  Options app{
      "Take the lane away from a run: TERM, then KILL after KILL_TIMEOUT, and the next run starts. "
      "It does not ask, and unlike `onelane stop` it does not wait long for a supervisor or "
      "guardian that is stopped or hangs.",
      "onelane steal"};
  app.footer(exit_codes(
      {{0, "its process tree is empty"}, {1, "it is not, or there is no such run here"}}));
  std::string id;
  bool as_json = false;
  app.add_option("id", id, "id of the run, as `onelane status` shows it")
      ->required()
      ->check(completes("running"))
      ->check(not_empty());
  app.add_flag("--json", as_json, "one JSON object: schema, ended, processes, kept, left");
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_lanes([&](const LanesHere& lanes) { return Steal{lanes, as_json}.run(id); });
}

}  // namespace

constinit const Command verbs::steal{
    "steal", "take the lane away from a run that hangs", &command_steal, {}, Group::Steer};

}  // namespace onelane::multicall
