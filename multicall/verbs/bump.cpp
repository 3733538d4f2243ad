#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "core/lane/admin.hpp"
#include "core/sys/text.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

/// The position of a ticket among those still to be granted; 0 if it does not wait.
struct Standing {
  std::size_t position = 0;
  std::size_t waiting = 0;
  int priority = 0;
};

Standing standing_of(const Found& found) {
  Standing out;
  for (const TicketView& ticket : view_of(*found.table, nullptr).queue) {
    const bool counts =
        ticket.state == lane::State::Granted || ticket.state == lane::State::Waiting;
    out.waiting += counts ? 1U : 0U;
    if (ticket.id == found.id()) {
      out.position = counts ? out.waiting : 0;
      out.priority = ticket.priority;
    }
  }
  return out;
}

void report(const Found& found, bool as_json) {
  const Standing now = standing_of(found);
  if (as_json) {
    const json out{{"schema", 1},
                   {"id", found.id()},
                   {"priority", now.priority},
                   {"position", now.position == 0 ? json(nullptr) : json(now.position)},
                   {"waiting", now.waiting}};
    print_json(out);
    return;
  }
  std::string line = name_of(found);
  if (now.position == 0) {
    line += found.state() == lane::State::Parked ? " is stopped (Ctrl-Z)" : " no longer waits";
  } else {
    line += fmt::format(" is {} of {}", ordinal(now.position), now.waiting);
  }
  print(fmt::format("{}, priority {}\n", line, now.priority));
}

int bump_one(const LanesHere& lanes, const std::string& id, std::optional<int> priority,
             bool as_json) {
  const auto found = find_ticket(lanes, id);
  if (!found || !found->waits()) {
    say_always(found && found->has_started() ? name_of(*found) + " runs already"
                                             : "no run " + sys::clean(id) + " waits here" +
                                                   list_words(find_tickets(lanes), &waits, "wait"));
    return 1;
  }
  const lane::Table table = open_writable(*found);
  // False: it has just been granted or has left; the report says which.
  (void)(priority ? lane::set_priority(table, id, *priority) : lane::bump(table, id));
  report(*found, as_json);
  return 0;
}

int command_bump(std::span<char*> args) {
  Options app{
      "Let a waiting call go before all other waiting calls, except one whose turn it already is "
      "and one that has been overtaken too often.",
      "onelane bump"};
  app.footer(exit_codes({{1, "it runs already, or there is no such run"}}));
  std::string id;
  std::optional<int> priority;
  bool as_json = false;
  app.add_option("id", id, "id of a waiting run, as `onelane status` shows it")
      ->required()
      ->check(completes("waiting"))
      ->check(not_empty());
  app.add_option("--priority", priority, "this priority instead, -100 to 100; 0 is the default")
      ->check(in_range(-100, 100));
  app.add_flag("--json", as_json, "one JSON object: schema, id, priority, position, waiting");
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_lanes([&](const LanesHere& lanes) { return bump_one(lanes, id, priority, as_json); });
}

}  // namespace

constinit const Command verbs::bump{
    "bump", "let a waiting call go first", &command_bump, {}, Group::Steer};

}  // namespace onelane::multicall
