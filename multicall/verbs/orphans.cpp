#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "multicall/context/lanes_here.hpp"
#include "multicall/term/confirm.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/orphan_rows.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 2, width), ' ');
  return text;
}

std::string table_of(const std::vector<OrphanRow>& rows) {
  std::string text =
      padded("PID", 9) + padded("AGE", 8) + padded("MEMORY", 10) + padded("RUN", 13) + "COMMAND\n";
  for (const OrphanRow& row : rows) {
    text += padded(std::to_string(row.id.pid), 9) + padded(duration_words(row.age), 8) +
            padded(size_words(row.memory_kb << 10U), 10) + padded(row.run_id, 13) + row.command +
            (row.run_command.empty() ? "" : "  (run: " + row.run_command.substr(0, 60) + ")") +
            "\n";
  }
  return text;
}

std::string text_of(const OrphanRows& rows) {
  std::string text = rows.orphans.empty() ? "no orphans\n" : table_of(rows.orphans);
  return rows.kept.empty() ? text : text + "\nkept on purpose:\n" + table_of(rows.kept);
}

/// The options of one call.
struct OrphanOptions {
  bool kill = false;
  bool yes = false;
  bool dry_run = false;
  bool all_projects = false;
  bool as_json = false;
};

std::optional<int> parse(OrphanOptions& options, std::span<char*> args) {
  Options app{
      "List the processes that carry the id of an ended run, and those kept on purpose: they left "
      "the run's session, ignore SIGHUP or are on the keep list. Nothing is ended without --kill.",
      "onelane orphans"};
  app.add_flag("--kill", options.kill, "end the orphans: TERM, then KILL after KILL_TIMEOUT");
  app.add_flag("--yes", options.yes, "do not ask");
  app.add_flag("--dry-run", options.dry_run, "only list, even with --kill");
  app.add_flag("--all-projects", options.all_projects, "look at the runs of all projects");
  app.add_flag("--json", options.as_json, "one JSON object: schema, orphans, kept, …");
  app.footer(exit_codes({{0, "listed, or ended as asked"},
                         {1, "not ended, or no project here has adopted onelane"}}));
  return parse_words(app, args);
}

/// Ends the orphans of `shown` and what they fork meanwhile; returns the exit code.
int end_rows(process::OrphanWatch& watch, const OrphanRows& shown, std::chrono::milliseconds grace,
             bool as_json) {
  std::vector<std::string> runs;
  for (const OrphanRow& row : shown.orphans) {
    runs.push_back(row.run_id);
  }
  const process::Ended ended = process::end_orphans(watch, runs, grace);
  if (as_json) {
    json left = json::array();
    for (const auto& stat : ended.left) {
      left.push_back(stat.id.pid);
    }
    print_json({{"schema", 1},
                {"orphans", json_of(shown.orphans)},
                {"kept", json_of(shown.kept)},
                {"ended", ended.signalled - std::min(ended.signalled, ended.left.size())},
                {"left", left}});
  } else {
    for (const OrphanRow& row : shown.orphans) {
      const bool left = std::ranges::any_of(
          ended.left, [&](const sys::ProcessStat& stat) { return stat.id == row.id; });
      print(fmt::format("{}: {} (pid {}, run {})\n", left ? "still there" : "ended", row.command,
                        row.id.pid, row.run_id));
    }
  }
  if (!ended.left.empty()) {
    say_always(fmt::format("{} still there after SIGKILL (another user's, or in the kernel)",
                           ended.left.size()));
  }
  return ended.left.empty() ? 0 : 1;
}

/// Asks the user; an exit code if the orphans stay.
std::optional<int> refusal(std::size_t count) {
  return refusal_of(count == 1 ? "end this process" : fmt::format("end these {} processes", count),
                    fmt::format("onelane orphans --kill would end {}; add --yes", count));
}

std::chrono::milliseconds kill_timeout(const LanesHere* here) {
  return here != nullptr ? here->settings.kill_timeout.value
                         : load_settings({}, settings::Audience::Shim).settings.kill_timeout.value;
}

int command_orphans(std::span<char*> args) {
  OrphanOptions options;
  if (const auto code = parse(options, args)) {
    return *code;
  }
  const auto lanes = lanes_here();
  if (!lanes && !options.all_projects) {
    say_always("no project here has adopted onelane (see `onelane orphans --all-projects`)");
    return 1;
  }
  if (lanes && lanes->unreadable) {  // its runs would look like orphans
    say_always(lanes->unreadable->what());
    return 1;
  }
  const LanesHere* here = lanes ? &*lanes : nullptr;
  const RunBook book = here != nullptr ? run_book(*here) : RunBook{};
  process::OrphanRules rules = orphan_rules(here, book);
  rules.occasion = process::Occasion::Orphans;
  if (options.all_projects) {
    rules.is_wanted = {};
  }
  process::OrphanWatch watch{std::move(rules)};
  const OrphanRows rows = orphan_rows(watch.scan(), here, book);
  const bool kills = options.kill && !options.dry_run && !rows.orphans.empty();
  if (options.as_json && !kills) {
    print_json({{"schema", 1}, {"orphans", json_of(rows.orphans)}, {"kept", json_of(rows.kept)}});
  } else if (!options.as_json) {
    print_fenced(text_of(rows));
  }
  if (!kills) {
    return 0;
  }
  if (const auto code = options.yes ? std::nullopt : refusal(rows.orphans.size())) {
    return *code;
  }
  return end_rows(watch, rows, kill_timeout(here), options.as_json);
}

}  // namespace

constinit const Command verbs::orphans{
    "orphans", "list or end what outlived its run", &command_orphans, {}, Group::Steer};

}  // namespace onelane::multicall
