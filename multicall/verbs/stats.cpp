#include <ctime>
#include <nlohmann/json.hpp>

#include "core/journal/journal.hpp"
#include "multicall/cli/shared_options.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/term/columns.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/stats_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

struct StatsOptions {
  std::int64_t since = 0;
  std::string tool;
  Paint::When color = Paint::When::Auto;
  std::size_t top = 0;
  bool as_json = false;
};

std::optional<int> parse(StatsOptions& options, std::span<char*> args) {
  Options app{
      "Summarise the journal of this project: waiting, duration, memory, ends, who waits for whom, "
      "and which limits would fit.",
      "onelane stats"};
  add_since(app, options.since, "only runs asked for since then");
  app.add_option("--tool", options.tool, "only runs of this tool")->type_name("TOOL");
  app.add_option("--top", options.top, "rows of each list (10; with --json all of them)")
      ->type_name("N")
      ->check(in_range(1, 1'000'000));
  add_colour(app, options.color);
  app.add_flag("--json", options.as_json, "one JSON object: schema, project, runs, kinds, …");
  app.footer(exit_codes({{1, "no project here has adopted onelane"}}));
  return parse_words(app, args);
}

int local_hour(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm local{};
  return ::localtime_r(&seconds, &local) == nullptr ? 0 : local.tm_hour;
}

journal::Statistics statistics_of(const std::string& state_dir, std::int64_t since,
                                  const std::string& tool) {
  journal::StatisticsCollector collector{{since, tool, &local_hour}};
  journal::LineReader reader;
  journal::Record run;
  journal::for_each_since(state_dir, since, journal::Order::OldestFirst,
                          [&](std::string_view line) {
                            if (reader.read(line, run) && is_run(run)) {
                              collector.add(run);
                            }
                            return true;
                          });
  return collector.compute();
}

int command_stats(std::span<char*> args) {
  StatsOptions options;
  if (const auto code = parse(options, args)) {
    return *code;
  }
  const std::int64_t since = options.since;
  const auto lanes = journal_here_or_say();
  if (!lanes) {
    return 1;
  }
  const auto statistics = statistics_of(lanes->project.state_dir, since, options.tool);
  if (!options.as_json) {
    constexpr std::size_t kRows = 10;
    print_fenced(stats_text(statistics, Paint{1, options.color},
                            options.top == 0 ? kRows : options.top, width_of(1)));
    return 0;
  }
  json out = stats_json(statistics, options.top);
  out["schema"] = 1;
  out["project"] = lanes->project.root;
  out["lane"] = lanes->project.state_dir;
  out["since_wall_ms"] = since == 0 ? json(nullptr) : json(since);
  out["tool"] = options.tool.empty() ? json(nullptr) : json(options.tool);
  print_json(out);
  return 0;
}

}  // namespace

constinit const Command verbs::stats{"stats",
                                     "waiting, duration and memory of past runs, limits that fit",
                                     &command_stats,
                                     {},
                                     Group::Look};

}  // namespace onelane::multicall
