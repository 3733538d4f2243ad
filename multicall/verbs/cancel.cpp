#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/sys/text.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

/// Why `id` cannot be cancelled: a word for JSON and a line for people.
struct Refusal {
  std::string word;
  std::string line;
};

/// Empty when the ticket leaves, or was cancelled before.
std::optional<Refusal> cancel_one(const LanesHere& lanes, const std::string& id) {
  for (auto found = find_ticket(lanes, id); found; found = find_ticket(lanes, id)) {
    if (found->has_started()) {
      return Refusal{"runs", name_of(*found) + " runs already: `onelane stop " + id +
                                 "` ends it, `onelane steal " + id + "` if that hangs"};
    }
    if (!found->waits() || cancel_ticket(*found)) {
      return std::nullopt;
    }
    // It started or left after we looked.
  }
  return Refusal{"unknown", "no run " + sys::clean(id) + " waits here" +
                                list_words(find_tickets(lanes), &waits, "wait")};
}

int cancel_all(const LanesHere& lanes, const std::vector<std::string>& ids, bool as_json) {
  json cancelled = json::array();
  json refused = json::array();
  for (const std::string& id : ids) {
    const auto found = find_ticket(lanes, id);
    if (const auto refusal = cancel_one(lanes, id)) {
      say_always(refusal->line);
      refused.push_back({{"id", id}, {"why", refusal->word}});
      continue;
    }
    cancelled.push_back(id);
    if (!as_json) {
      print("cancelled " + (found ? name_of(*found) : "run " + id) + "\n");
    }
  }
  if (as_json) {
    const json out{{"schema", 1}, {"cancelled", cancelled}, {"refused", refused}};
    print_json(out);
  }
  return refused.empty() ? 0 : 1;
}

int command_cancel(std::span<char*> args) {
  Options app{
      "Make waiting calls leave the queue: they end with 75. A stopped call (Ctrl-Z) is continued "
      "so "
      "that it can.",
      "onelane cancel"};
  app.footer(
      exit_codes({{0, "all of them leave"}, {1, "one of them runs already or does not exist"}}));
  std::vector<std::string> ids;
  bool as_json = false;
  app.add_option("id", ids, "ids of waiting runs, as `onelane status` shows them")
      ->required()
      ->check(completes("waiting"))
      ->check(not_empty());
  app.add_flag("--json", as_json, "one JSON object: schema, cancelled, refused");
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  std::vector<std::string> once;
  std::ranges::copy_if(ids, std::back_inserter(once), [&](const std::string& id) {
    return std::ranges::find(once, id) == once.end();
  });
  return with_lanes([&](const LanesHere& lanes) { return cancel_all(lanes, once, as_json); });
}

}  // namespace

constinit const Command verbs::cancel{
    "cancel", "make waiting calls leave", &command_cancel, {}, Group::Steer};

}  // namespace onelane::multicall
