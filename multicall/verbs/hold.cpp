#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/lane/admin.hpp"
#include "core/sys/error.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/shim/notice.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

/// The state afterwards, of the lane that was looked at last.
struct Held {
  lane::Header header;
  bool has_changed = false;  ///< In any lane.
};

void report(const LanesHere& lanes, const Held& held, bool as_json) {
  const lane::Header& header = held.header;
  const bool is_held = header.held != 0;
  if (as_json) {
    const json out{{"schema", 1},
                   {"on_hold", is_held},
                   {"changed", held.has_changed},
                   {"user", is_held ? json(sys::user_name(header.held_by)) : json(nullptr)},
                   {"uid", is_held ? json(header.held_by) : json(nullptr)},
                   {"since", is_held ? json(header.held_since) : json(nullptr)},
                   {"reason", header.held_reason.data()}};
    print_json(out);
    return;
  }
  const std::string lane = printable_lines("lane '" + lanes.project.name + "' is ");
  if (!is_held) {
    print(lane + (held.has_changed ? "released\n" : "not on hold\n"));
  } else if (held.has_changed) {
    print(lane + "on hold: what runs finishes, nothing starts until `onelane release`\n");
  } else {
    print(lane + hold_words(header) + " already\n");
  }
}

int hold(const LanesHere& lanes, const std::string& reason, bool as_json) {
  Held held;
  for (const std::string& directory : lane_directories(lanes)) {
    const lane::Table table = open_lane(lanes.project, directory);
    held.has_changed = lane::set_held(table, true, reason) || held.has_changed;
    held.header = table.header();
  }
  report(lanes, held, as_json);
  return 0;
}

int release(const LanesHere& lanes, bool as_json) {
  Held held;
  for (const lane::Table& table : lanes.tables) {
    if (table.header().held != 0) {
      const auto writable = lane::Table::open_existing(table.path(), O_RDWR);
      if (!writable) {
        sys::throw_errno("open", table.path());
      }
      held.has_changed = lane::set_held(*writable, false) || held.has_changed;
    }
    held.header = table.header();
  }
  report(lanes, held, as_json);
  return 0;
}

int command_hold(std::span<char*> args) {
  Options app{
      "Pause the lane of this project: what runs finishes, all other calls wait until `onelane "
      "release`. The hold outlives your shell and a reboot.",
      "onelane hold"};
  app.footer(exit_codes({{0, "it is on hold"}, {1, "it cannot be changed"}}));
  std::string reason;
  bool as_json = false;
  app.add_option("--reason", reason, "shown to the calls that wait; cut after 95 bytes");
  app.add_flag("--json", as_json,
               "one JSON object: schema, on_hold, changed, user, uid, since, reason");
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_lanes([&](const LanesHere& lanes) { return hold(lanes, reason, as_json); });
}

}  // namespace

constinit const Command verbs::hold{
    "hold", "pause the lane: what runs finishes, nothing starts", &command_hold, {}, Group::Steer};

namespace {

int command_release(std::span<char*> args) {
  Options app{"End `onelane hold`, no matter who ran it: the next call starts.", "onelane release"};
  app.footer(exit_codes({{0, "it is not on hold (any more)"}, {1, "it cannot be changed"}}));
  bool as_json = false;
  app.add_flag("--json", as_json,
               "one JSON object: schema, on_hold, changed, user, uid, since, reason");
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_lanes([&](const LanesHere& lanes) { return release(lanes, as_json); });
}

}  // namespace

constinit const Command verbs::release{"release", "end `hold`", &command_release, {}, Group::Steer};

}  // namespace onelane::multicall
