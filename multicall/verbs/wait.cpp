#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/lane/lane_watch.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/run_id.hpp"
#include "core/sys/text.hpp"
#include "core/sys/values.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/lane_view.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kWithoutInotify{1'000};  ///< Or if the file does not say who runs.

struct WaitOptions {
  std::string id;  ///< Empty for the lane.
  std::optional<milliseconds> timeout;
  bool exit_status = false;
  bool as_json = false;
};

/// Blocks until `deadline`, or until a descriptor of `polled` is readable. False at the deadline.
bool sleep_until(std::vector<pollfd>& polled, std::optional<nanoseconds> deadline,
                 std::optional<milliseconds> at_most) {
  std::optional<milliseconds> limit = at_most;
  if (deadline) {
    const auto left = std::chrono::ceil<milliseconds>(*deadline - sys::monotonic_time());
    if (left.count() <= 0) {
      return false;
    }
    limit = std::min({left, at_most.value_or(left), milliseconds{3'600'000}});
  }
  (void)::poll(polled.data(), polled.size(), limit ? static_cast<int>(limit->count()) : -1);
  return true;
}

/// True when no call holds the lane or waits for it, not even one that a damaged file hides.
bool is_free(const lane::Table& table) {
  return lane::busy_slots(table).empty() && !is_holder_unknown(table);
}

/// Watches the lanes of the project until they are free.
class FreeWait {
 public:
  explicit FreeWait(const LanesHere& lanes) : lanes_{lanes} {
    for (const lane::Table& table : lanes.tables) {
      watches_.push_back(std::make_unique<lane::LaneWatch>(table));
    }
  }

  /// True once no call holds a lane or waits for one; false at the deadline.
  bool run(std::optional<nanoseconds> deadline) {
    for (;;) {
      bool is_free = true;
      bool is_complete = true;
      std::vector<pollfd> polled;
      for (std::size_t i = 0; i < watches_.size(); ++i) {
        const lane::Table& table = lanes_.tables[i];
        watches_[i]->drain();
        const auto busy = table.is_current() ? lane::busy_slots(table) : std::vector<std::size_t>{};
        watches_[i]->sleep_on(busy.empty() ? std::nullopt : std::optional{busy.front()});
        const bool is_unknown = busy.empty() && is_holder_unknown(table);
        is_free = is_free && busy.empty() && !is_unknown;
        is_complete = is_complete && !is_unknown && watches_[i]->is_complete();
        for (const int fd : watches_[i]->fds()) {
          polled.push_back({fd, POLLIN, 0});
        }
      }
      if (is_free) {
        return true;
      }
      const auto at_most = is_complete ? std::nullopt : std::optional{kWithoutInotify};
      if (!sleep_until(polled, deadline, at_most)) {
        return false;
      }
    }
  }

 private:
  const LanesHere& lanes_;
  std::vector<std::unique_ptr<lane::LaneWatch>> watches_;
};

/// Watches one ticket to its end.
class RunWait {
 public:
  explicit RunWait(const Found& found) : found_{found}, watch_{*found.table} {}

  /// True once the ticket has left its lane; false at the deadline.
  bool run(std::optional<nanoseconds> deadline) {
    const lane::LiveTicket& ticket = found_.ticket;
    for (;;) {
      watch_.drain();
      if (!found_.table->is_current() ||
          !lane::is_there(*found_.table, ticket.slot, ticket.entry.sequence)) {
        return true;
      }
      watch_.sleep_on(ticket.slot);
      const auto fds = watch_.fds();
      std::vector<pollfd> polled{{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
      const auto at_most = watch_.is_complete() ? std::nullopt : std::optional{kWithoutInotify};
      if (!sleep_until(polled, deadline, at_most)) {
        return false;
      }
    }
  }

 private:
  const Found found_;
  lane::LaneWatch watch_;
};

/// One call of the verb.
class WaitCommand {
 public:
  WaitCommand(const LanesHere& lanes, const WaitOptions& options)
      : lanes_{lanes}, options_{options} {
    if (options.timeout) {
      deadline_ = sys::monotonic_time() + *options.timeout;
    }
  }

  int run() {
    const auto tickets = find_tickets(lanes_);
    const auto above = sys::ancestry_of(::getpid()).chain;
    for (const Found& found : tickets) {
      const auto is_it = [&](const auto& stat) {
        return stat.id == found.ticket.entry.supervisor() &&
               found.ticket.entry.pid_namespace == sys::pid_namespace();
      };
      const bool is_meant =
          options_.id.empty() ? lane::has_lane(found.state()) : found.id() == options_.id;
      if (is_meant && std::ranges::any_of(above, is_it)) {
        say_always("this call is a part of " + name_of(found) + ": it would wait for itself");
        return 1;
      }
    }
    return options_.id.empty() ? wait_for_lane() : wait_for_run();
  }

 private:
  int wait_for_lane() {
    // A lane created meanwhile (git's own) counts as well.
    for (LanesHere now = lanes_of(lanes_.project, lanes_.settings);;) {
      if (!FreeWait{now}.run(deadline_)) {
        return give_up();
      }
      LanesHere later = lanes_of(lanes_.project, lanes_.settings);
      if (std::ranges::all_of(later.tables, &is_free)) {
        break;
      }
      now = std::move(later);
    }
    return report("free", {}, "the lane is free", 0);
  }

  int wait_for_run() {
    const std::string& id = options_.id;
    const auto found = find_ticket(lanes_, id);
    if (!found) {
      if (const auto dead = find_unrun(id)) {
        return report_left(name_of(*dead));
      }
      const RunBook book = run_book(lanes_);
      if (!book.has(id)) {
        // Only its record tells of a service that has just ended, and it may not be written yet.
        if (const auto late =
                sys::is_run_id(id) ? record_of_ended(lanes_, id, found) : std::nullopt) {
          return report_end("run " + id, late);
        }
        say_always("no run " + sys::clean(id) + " here, unless it left the queue unrun" +
                   list_words(find_tickets(lanes_), &has_started, "run"));
        return 1;
      }
      return report_end("run " + id, record_of_ended(lanes_, id, found));
    }
    const std::string name = name_of(*found);
    if (!RunWait{*found}.run(deadline_)) {
      return give_up();
    }
    const auto record = record_of_ended(lanes_, id, found);
    const bool ran = record || found->has_started() || was_last(lanes_, id);
    return ran ? report_end(name, record) : report_left(name);
  }

  /// The ticket of a call that was killed before it ran, if the table still has it.
  [[nodiscard]] std::optional<Found> find_unrun(const std::string& id) const {
    for (const lane::Table& table : lanes_.tables) {
      const auto entries = table.entries();
      const auto it = std::ranges::find_if(
          entries, [&](const lane::Entry& entry) { return lane::view(entry.run_id) == id; });
      const Found found{&table,
                        {it == entries.end() ? lane::Entry{} : *it,
                         static_cast<std::size_t>(it - entries.begin())}};
      if (it != entries.end() && !found.has_started() && !was_last(lanes_, id)) {
        return found;
      }
    }
    return std::nullopt;
  }

  int report_left(const std::string& name) const {
    return report("left", {}, name + " has left the queue", options_.exit_status ? kExitGaveUp : 0);
  }

  int report_end(const std::string& name, const std::optional<journal::Record>& record) {
    return report(
        "ended", record,
        name + " has ended" + (record ? ": " + ended_words(*record) : "; no record of it"),
        options_.exit_status ? exit_status_of(record) : 0);
  }

  int give_up() {
    const auto tickets = find_tickets(lanes_);
    const bool is_unknown = std::ranges::any_of(lanes_.tables, &is_holder_unknown);
    say_always("gave up after " + duration_words(*options_.timeout) +
               (is_unknown ? "; " + std::string{kHolderUnknown}
                           : list_words(tickets, &has_started, "run")) +
               list_words(tickets, &waits, "wait"));
    return report("timeout", {}, "", kExitGaveUp);
  }

  int report(const char* state, const std::optional<journal::Record>& record,
             const std::string& line, int code) const {
    if (!options_.as_json) {
      print_fenced(line.empty() ? "" : line + "\n");
      return code;
    }
    json out{{"schema", 1},
             {"id", options_.id.empty() ? json(nullptr) : json(options_.id)},
             {"state", state},
             {"code", record && record->code ? json(*record->code) : json(nullptr)},
             {"signal", record && record->signal != 0 ? json(record->signal) : json(nullptr)},
             {"reason", record ? json(journal::word_of(record->reason)) : json(nullptr)},
             {"duration_ms",
              record && !is_end_unknown(*record) ? json(record->duration_ms) : json(nullptr)}};
    print_json(out);
    return code;
  }

  const LanesHere& lanes_;
  const WaitOptions& options_;
  std::optional<nanoseconds> deadline_;
};

int command_wait(std::span<char*> args) {
  Options app{
      "Wait until the lane is free, that is, no call holds it or waits for it (services and calls "
      "stopped by Ctrl-Z aside). With an id, wait until that run has ended or left the queue.",
      "onelane wait"};
  app.footer(exit_codes(
      {{1,
        "there is no such run here (one that left the queue unrun before is not remembered), or "
        "its end was not recorded"},
       {kExitGaveUp,
        "--timeout has passed; with --exit-status: the run left the queue without having run"}}));
  WaitOptions options;
  app.add_option("id", options.id,
                 "id of a run, as `onelane status` shows it, even if it ended "
                 "long ago")
      ->check(not_empty());
  app.add_option_function(
         "--timeout",
         [&options](const std::string& text) { options.timeout = sys::parse_duration(text); },
         "give up after this long: 30, 500ms, 10m")
      ->type_name("DURATION")
      ->check(duration());
  app.add_flag("--exit-status", options.exit_status,
               "exit as the run did: its code, or 128 + n for signal n");
  app.add_flag("--json", options.as_json,
               "one JSON object: schema, id, state, code, signal, reason, duration_ms");
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  if (options.exit_status && options.id.empty()) {
    say_always("onelane wait: --exit-status needs the id of a run");
    return kExitUsage;
  }
  return with_lanes([&](const LanesHere& lanes) { return WaitCommand{lanes, options}.run(); });
}

}  // namespace

constinit const Command verbs::wait{
    "wait", "until the lane is free, or a run has ended", &command_wait, {}, Group::Steer};

}  // namespace onelane::multicall
