#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "multicall/steer/end_run.hpp"
#include "multicall/steer/everything.hpp"
#include "multicall/term/confirm.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

std::vector<Found> running_of(const std::vector<Found>& tickets) {
  std::vector<Found> out;
  std::ranges::copy_if(tickets, std::back_inserter(out),
                       [](const Found& found) { return lane::has_lane(found.state()); });
  return out;
}

/// One call of the verb.
class Stop {
 public:
  Stop(const LanesHere& lanes, bool as_json)
      : lanes_{lanes}, endings_{lanes, as_json}, as_json_{as_json} {}

  /// Finds what to end, from `id` or the user's answer; an exit code if there is nothing to end.
  std::optional<int> choose(const std::string& id, bool yes, bool all) {
    const auto tickets = find_tickets(lanes_);
    const auto running = running_of(tickets);
    for (const Found& found : tickets) {
      if (all && !found.has_started()) {
        victims_.push_back(found.id());
      }
    }
    if (!id.empty()) {
      return choose_by_id(id, tickets, running);
    }
    if (std::ranges::any_of(lanes_.tables, &is_holder_unknown)) {
      say_always(kHolderUnknown);
      return std::max(report(), 1);
    }
    if (running.empty() && victims_.empty()) {
      return nothing_runs(yes);
    }
    return yes ? accept(running) : ask(running);
  }

  /// Empties the queue first, so that no call starts in between; one that still does is ended.
  int run() {
    for (bool again = true; again && endings_.code() == 0;) {
      cancel_waiting();
      again = false;
      for (const Found& found : find_tickets(lanes_)) {
        if (found.has_started() && std::ranges::find(victims_, found.id()) != victims_.end()) {
          endings_.end(found, Manner::Patient);
          again = true;
        }
      }
    }
    if (cancelled_ > 0) {
      endings_.tell(fmt::format("cancelled {} in the queue", cancelled_));
    }
    return report();
  }

  /// Prints the report, if one is wanted; returns the exit code.
  [[nodiscard]] int report() const {
    if (as_json_) {
      json out = endings_.report();
      out["cancelled"] = cancelled_;
      print_json(out);
    }
    return endings_.has_kept() ? 1 : endings_.code();
  }

 private:
  std::optional<int> choose_by_id(const std::string& id, const std::vector<Found>& tickets,
                                  const std::vector<Found>& running) {
    const auto it = std::ranges::find(tickets, id, &Found::id);
    const bool here = it != tickets.end();
    if (here && it->has_started()) {
      victims_.push_back(id);
      return std::nullopt;
    }
    if (!here && endings_.book().has(id)) {
      endings_.tell("run " + id + " has ended already");
      endings_.clear(id);
      return report();
    }
    std::string line = here ? "run " + id + " only waits" : "no run " + id + " here";
    for (const Found& found : running) {
      line += "; " + words_of(found) + " runs";
    }
    if (std::ranges::any_of(lanes_.tables, &is_holder_unknown)) {
      line += "; ";
      line += kHolderUnknown;
    } else if (running.empty()) {
      line += "; no call runs";
    }
    say_always(line);
    return 1;
  }

  /// If supervisor and guardian both died, what they left still counts as running.
  int nothing_runs(bool yes) {
    bool is_clear = true;
    for (const lane::Table& table : lanes_.tables) {
      const lane::LastRun last = table.last_run();
      const std::string id{lane::view(last.run_id)};
      if (!lane::was_killed(table, last) || lane::find_live(table, id)) {
        continue;  // it has begun meanwhile, so it was not killed
      }
      if (last.pid_namespace == sys::pid_namespace() && yes) {
        endings_.clear(id);
      } else if (count_orphans_of(id) > 0) {
        say_always("run " + id + " was killed and has left processes: `onelane stop --yes` or `" +
                   "onelane orphans --kill --yes` ends them");
        is_clear = false;
      }
    }
    if (is_clear && endings_.code() == 0) {
      endings_.tell("nothing runs here");
      tell_what_is_left();
    }
    return is_clear ? report() : std::max(report(), 1);
  }

  /// Names what runs that ended by themselves left running without a sign that it is meant to stay.
  void tell_what_is_left() const {
    process::OrphanRules rules = orphan_rules(&lanes_, endings_.book());
    rules.occasion = process::Occasion::Orphans;
    for (const process::Orphan& orphan : process::OrphanWatch{std::move(rules)}.scan().orphans) {
      endings_.tell(fmt::format("run {0} has left {1} (pid {2}): `onelane stop {0}` ends it",
                                orphan.run_id, sys::command_line(orphan.stat.id.pid, 80),
                                orphan.stat.id.pid));
    }
  }

  [[nodiscard]] std::size_t count_orphans_of(const std::string& id) const {
    process::OrphanRules rules = orphan_rules(&lanes_, endings_.book());
    rules.is_wanted = [&](std::string_view wanted) { return wanted == id; };
    return process::OrphanWatch{std::move(rules)}.scan().orphans.size();
  }

  std::optional<int> accept(const std::vector<Found>& running) {
    for (const Found& found : running) {
      victims_.push_back(found.id());
    }
    return std::nullopt;
  }

  std::optional<int> ask(const std::vector<Found>& running) {
    std::string question = running.empty() ? "" : "end ";
    for (const Found& found : running) {
      question += (&found == running.data() ? "" : " and ") + words_of(found);
    }
    if (!victims_.empty()) {
      question +=
          fmt::format("{}cancel {} in the queue", running.empty() ? "" : ", and ", victims_.size());
    }
    const auto code = refusal_of(
        question, running.empty() ? "nothing runs; add --yes to " + question
                                  : "give the id, `onelane stop " + running.front().id() +
                                        "`, or --yes, to " + question);
    return code ? code : accept(running);
  }

  void cancel_waiting() {
    for (const Found& found : find_tickets(lanes_)) {
      if (found.waits() && std::ranges::find(victims_, found.id()) != victims_.end()) {
        cancelled_ += cancel_ticket(found) ? 1U : 0U;
      }
    }
  }

  const LanesHere& lanes_;
  Endings endings_;
  const bool as_json_;
  std::vector<std::string> victims_;
  std::size_t cancelled_ = 0;
};

int command_stop(std::span<char*> args) {
  Options app{
      "End the run that holds this project's lane, or the run or service with this id: its whole "
      "tree and session, and what it left running if it has ended. Only processes that left the "
      "session or are on the keep list live on, and are named. Exits with 0 only when nothing of "
      "it lives. --everything spares neither.",
      "onelane stop"};
  std::string id;
  bool all = false;
  bool everything = false;
  bool yes = false;
  bool as_json = false;
  app.add_option("ID", id, "the run's id, as `onelane status` shows it")
      ->check(completes("running"))
      ->check(not_empty());
  app.add_flag("--all", all, "cancel all waiting calls, too");
  app.add_flag("--everything", everything,
               "end all of this project: queues, holder, services, what runs left or kept")
      ->excludes("--all")
      ->excludes("ID");
  app.add_flag("--yes", yes, "do not ask");
  app.add_flag("--json", as_json, "one JSON object: schema, ended, cancelled, kept, left");
  app.footer(exit_codes({{0, "ended, and nothing of it is left; or nothing ran"},
                         {1,
                          "not ended, something of it lives on, it is not known who runs, or there "
                          "is no project here"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_lanes([&](const LanesHere& lanes) {
    if (everything) {
      return stop_everything(lanes, yes, as_json);
    }
    Stop stop{lanes, as_json};
    const auto code = stop.choose(id, yes, all);
    return code ? *code : stop.run();
  });
}

}  // namespace

constinit const Command verbs::stop{"stop",
                                    "end what runs; --everything ends all of the project",
                                    &command_stop,
                                    {},
                                    Group::Everyday};

}  // namespace onelane::multicall
