#include <nlohmann/json.hpp>
#include <utility>

#include "core/guard/card.hpp"
#include "core/sys/clock.hpp"
#include "multicall/cli/shared_options.hpp"
#include "multicall/term/columns.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/overview.hpp"
#include "multicall/view/run_filter.hpp"

namespace onelane::multicall {
namespace {

constexpr std::size_t kLongestCommand = 100;  ///< Bytes, if no terminal says how much fits.

/// The options of one call.
struct ListOptions {
  RunFilter filter;
  std::size_t limit = 20;
  bool as_json = false;
  Paint::When colour = Paint::When::Auto;
};

std::optional<int> parse(ListOptions& options, std::span<char*> args) {
  Options app{
      "List the runs of this project: the live ones, then those that have ended, newest first. "
      "Exits with 1 if no project has adopted onelane.",
      "onelane runs list"};
  RunFilter& filter = options.filter;
  app.add_option("-s,--status", filter.statuses,
                 "ok, failed, killed, running, queued, or how it ended: exited, signalled, "
                 "not-started, timeout, pipeline-timeout, idle, memory, tree-memory, processes, "
                 "reserve, stopped, crashed; several with commas")
      ->delimiter(',')
      ->check(must_be("a status", [](const std::string& word) { return is_status_word(word); }));
  app.add_option("-t,--tool", filter.tool, "the tool's name, such as make");
  app.add_option("-b,--branch", filter.branch, "the branch at the end of the run");
  app.add_option("-u,--user", filter.user, "who made the call");
  app.add_option("-a,--agent", filter.agent, "the coding agent or CI that made it");
  app.add_option("-c,--command", filter.command, "text in the command");
  add_since(app, filter.since_wall_ms, "live, or ended since then");
  app.add_option("-L,--limit", options.limit, "at most this many (20)");
  app.add_flag("--json", options.as_json, "one JSON object: schema, project, runs");
  add_colour(app, options.colour);
  app.footer(exit_codes({{1, "no project here has adopted onelane"}}));
  return parse_words(app, args);
}

std::string marked(const RunView& run) {
  const std::string word = printable(outcome_of(run), 40);
  if (!guard::locale_is_utf8()) {
    return word;
  }
  switch (state_of(run)) {
    case RunState::Queued:
      return "· " + word;
    case RunState::Running:
      return "▶ " + word;
    case RunState::Ok:
      return "✓ " + word;
    case RunState::Failed:
      return "✗ " + word;
    case RunState::Killed:
      break;
  }
  return "! " + word;
}

Columns::Paint paint_of(const RunView& run, const Paint& paint) {
  switch (state_of(run)) {
    case RunState::Queued:
      return [&paint](std::string_view text) { return paint.dim(text); };
    case RunState::Running:
      return [&paint](std::string_view text) { return paint.cyan(text); };
    case RunState::Ok:
      return [&paint](std::string_view text) { return paint.green(text); };
    case RunState::Failed:
      return [&paint](std::string_view text) { return paint.red(text); };
    case RunState::Killed:
      break;
  }
  return [&paint](std::string_view text) { return paint.yellow(text); };
}

std::vector<std::string> cells_of(const RunView& run, std::int64_t now,
                                  std::size_t longest_command) {
  const auto& record = run.record;
  const bool has_started = !run.live || run.live->has_started();
  const std::uint64_t peak = run.live ? memory_now_kb(run) : record.peak_tree_kb;
  const std::string& who = record.agent.empty() ? record.user : record.agent;
  const std::int64_t since = record.started_wall_ms;
  return {marked(run),
          printable(record.id, 40),
          printable(run.command, longest_command),
          printable(who, 40),
          printable(record.branch, 200),
          since == 0 ? "" : span_words(now - since),
          run.live ? (has_started ? span_words(record.duration_ms) : "") : took_words(record),
          record.waited_ms >= 50 ? span_words(record.waited_ms) : "",
          peak == 0 ? "" : size_words(peak << 10U)};
}

std::string table_of(const LanesHere& lanes, const ListOptions& options) {
  Columns columns{{{"STATE"},
                   {"ID"},
                   {"COMMAND", 0, true},
                   {"WHO", 3},
                   {"BRANCH", 1},
                   {"AGE", 6},
                   {"TOOK", 5},
                   {"WAITED", 2},
                   {"MEMORY", 4}}};
  const Paint paint{1, options.colour};
  const std::int64_t now = sys::wall_milliseconds();
  const std::size_t width = width_of(1);
  bool is_empty = true;
  for_each_run(lanes, options.filter, options.limit, [&](const RunView& run) {
    columns.add(cells_of(run, now, width == 0 ? kLongestCommand : std::string::npos),
                paint_of(run, paint));
    is_empty = false;
  });
  return is_empty ? "no runs\n" : columns.text(width);
}

/// Printed row by row, since there may be very many.
void print_rows(const LanesHere& lanes, const ListOptions& options) {
  constexpr std::size_t kMuch = 65'536;
  std::string text = R"({"project":)" + json_line(lanes.project.root) + R"(,"runs":[)";
  std::string_view comma;
  for_each_run(lanes, options.filter, options.limit, [&](const RunView& run) {
    text.append(comma).append(json_text_of(run));
    comma = ",";
    if (text.size() > kMuch) {
      print(std::exchange(text, {}));
    }
  });
  print(text + R"(],"schema":1})" + "\n");
}

int command_runs_list(std::span<char*> args) {
  ListOptions options;
  if (const auto code = parse(options, args)) {
    return *code;
  }
  const auto lanes = journal_here_or_say();
  if (!lanes) {
    return 1;
  }
  if (lanes->unreadable) {
    say_always(lanes->unreadable->what());
  }
  if (options.as_json) {
    print_rows(*lanes, options);
  } else {
    print_fenced(table_of(*lanes, options));
  }
  return 0;
}

constexpr const Command* kRunsParts[] = {&verbs::runs_list, &verbs::runs_view, &verbs::runs_watch};

}  // namespace

constinit const Command verbs::runs_list{"list", "runs of this project, newest first",
                                         &command_runs_list};

constinit const Command verbs::runs{"runs", "list, view or watch runs", &command_runs_list,
                                    kRunsParts, Group::Look};

}  // namespace onelane::multicall
