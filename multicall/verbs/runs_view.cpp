#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/guard/card.hpp"
#include "core/journal/record.hpp"
#include "multicall/queue/record.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/follow_runs.hpp"
#include "multicall/view/overview.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

/// "2026-11-21 12:00:00", in local time.
std::string date_words(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm date{};
  char text[40];
  if (::localtime_r(&seconds, &date) == nullptr ||
      std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &date) == 0) {
    return "?";
  }
  return text;
}

std::string bytes_words(std::uint64_t bytes) {
  return bytes < 1024 * 1024 ? fmt::format("{} KB", (bytes + 1023) / 1024) : size_words(bytes);
}

std::string names_of(const std::vector<journal::Process>& processes) {
  std::string text;
  for (const journal::Process& process : processes) {
    text += fmt::format("{}{} (pid {})", text.empty() ? "" : ", ", printable(process.command, 200),
                        process.pid);
  }
  return text;
}

/// A text file of a run and its lines.
struct LogText {
  LogText(const std::string& directory, const std::string& id, const std::string& ending)
      : path{directory + "/" + id + ending} {
    LogTail log{directory, id, ending};
    lines = log.next();
    std::ranges::move(log.rest(), std::back_inserter(lines));
    path = lines.empty() ? "" : path;
  }

  std::string path;  ///< Empty when there is nothing.
  std::vector<LogLine> lines;
};

/// The text of one run, line by line.
class Page {
 public:
  Page(const RunView& run, const std::vector<RunView>& jobs)
      : run_{run}, record_{run.record}, jobs_{jobs} {}

  [[nodiscard]] std::string text(const std::string& log, const std::string& output) {
    text_ = "run " + printable(record_.id, 40) + "\n";
    add("state", run_.live ? live_words() : ending_of(record_));
    add("command", run_.command);
    add("directory", printable(record_.cwd));
    add("project", printable(record_.project));
    add_caller();
    add("branch", printable(record_.branch));
    add("class", printable(record_.cls, 40));
    add("attempt", record_.attempt == 0 ? "" : std::to_string(record_.attempt));
    add("parts", record_.parts == 0 ? "" : fmt::format("{} commands", record_.parts));
    add("label", printable(record_.label));
    add("pipeline", record_.pipeline_of.empty()
                        ? ""
                        : "same pipeline as run " + printable(record_.pipeline_of, 40));
    add("queue start", printable(record_.queue_start, 40));
    add_times();
    run_.live ? add_processes() : add_use();
    add("kept", names_of(record_.kept));
    add("leftovers", record_.ended_leftovers == 0
                         ? ""
                         : fmt::format("{} ended after the tool", record_.ended_leftovers));
    add("survivors", names_of(record_.survivors));
    add_jobs();
    if (!run_.live && !is_queue_start(record_) && record_.joined.empty()) {
      add("tree", record_.empty ? "was seen empty" : "was not seen empty");
    }
    add("warnings", record_.warnings == 0 ? "" : std::to_string(record_.warnings));
    add("orphans", record_.orphans_ended == 0
                       ? ""
                       : fmt::format("{} of earlier runs ended", record_.orphans_ended));
    add("output", printable(output));
    add("log", log.empty() ? "no events were logged" : printable(log));
    add_card();
    return text_;
  }

 private:
  void add(std::string name, const std::string& value) {
    if (!value.empty()) {
      name += name.empty() ? "" : ":";
      name.resize(13, ' ');
      text_ += name + value + "\n";
    }
  }

  [[nodiscard]] std::string live_words() const {
    const TicketView& ticket = *run_.live;
    std::string text = outcome_of(run_);
    text +=
        ticket.is_here ? fmt::format(" (pid {})", ticket.supervisor.pid) : " in another container";
    return text + (ticket.is_stopped ? ", stopped (Ctrl-Z or SIGSTOP)" : "");
  }

  void add_caller() {
    std::string text = printable(record_.user, 100);
    text += record_.tty.empty() ? "" : ", on " + printable(record_.tty, 100);
    text += record_.agent.empty() ? "" : ", agent " + printable(record_.agent, 100);
    add("by", text);
  }

  void add_times() {
    if (record_.queued_wall_ms != 0) {
      add("queued",
          date_words(record_.queued_wall_ms) + ", waited " + span_words(record_.waited_ms));
    }
    if (record_.started_wall_ms != 0) {
      add("started", date_words(record_.started_wall_ms) +
                         (run_.live ? ", for " + span_words(record_.duration_ms) : ""));
    }
    const bool was_released = record_.released_ms != 0;
    add("lane", was_released ? "given back after " + span_words(record_.released_ms) : "");
    add("ended", !run_.live && is_end_unknown(record_) ? "? (not recorded)" : "");
    if (record_.ended_wall_ms != 0) {
      add("ended",
          date_words(record_.ended_wall_ms) +
              (record_.duration_ms == 0 ? "" : ", took " + span_words(record_.duration_ms)));
    }
  }

  void add_use() {
    if (record_.peak_tree_kb != 0) {
      add("memory", "at most " + size_words(record_.peak_tree_kb << 10U) +
                        ", its largest process " + size_words(record_.peak_process_kb << 10U));
    }
    add("processes",
        record_.peak_processes == 0 ? "" : fmt::format("at most {}", record_.peak_processes));
    if (record_.cpu_ms != 0) {
      add("processor", span_words(static_cast<std::int64_t>(record_.cpu_ms)));
    }
    if (record_.read_bytes + record_.written_bytes != 0) {
      add("disk", bytes_words(record_.read_bytes) + " read, " + bytes_words(record_.written_bytes) +
                      " written");
    }
  }

  void add_jobs() {
    std::string name = "jobs";
    for (const RunView& job : jobs_) {
      add(std::exchange(name, ""), printable(job.record.id, 40) + "  " + outcome_of(job) + "  " +
                                       span_words(job.record.duration_ms) + "  " +
                                       printable(job.command, 120));
    }
  }

  void add_processes() {
    std::string name = "processes";
    for (const ProcessView& process : processes_of(*run_.live)) {
      add(std::exchange(name, ""),
          fmt::format("{:{}}{}  {}  {}", "", 2 * process.depth, process.stat.id.pid,
                      size_words(process.bytes), sys::command_line(process.stat.id.pid, 120)));
    }
  }

  void add_card() {
    if (record_.card.empty()) {
      return;
    }
    auto card = guard::card_of(record_.card);
    text_ += "\n";
    if (!card) {
      text_ += printable(record_.card) + "\n";
      return;
    }
    card->run = printable(run_.command, 60);
    for (const std::string& line : guard::lines_of(*card)) {
      text_ += printable(line) + "\n";
    }
    for (const std::string& line : guard::tree_lines_of(*card)) {
      text_ += printable(line) + "\n";
    }
  }

  const RunView& run_;
  const journal::Record& record_;
  const std::vector<RunView>& jobs_;
  std::string text_;
};

json page_json(const RunView& run, const std::vector<RunView>& jobs, const std::string& log,
               const std::string& output) {
  json out = to_json(run);
  for (const RunView& job : jobs) {
    out["runs"].push_back(to_json(job));
  }
  out["schema"] = 1;
  out["ending"] = run.live ? json(nullptr) : json(ending_of(run.record));
  out["log"] = log.empty() ? json(nullptr) : json(log);
  out["output"] = output.empty() ? json(nullptr) : json(output);
  return out;
}

int show_log(const RunView& run, const std::vector<LogLine>& lines, bool only_failed,
             bool as_json) {
  const bool is_wanted = !only_failed || (!run.live && state_of(run) != RunState::Ok);
  if (as_json) {
    json list = json::array();
    for (const LogLine& line : lines) {
      list.push_back(line.text);
    }
    print_json({{"schema", 1},
                {"id", run.record.id},
                {"state", word_of(state_of(run))},
                {"lines", is_wanted ? std::move(list) : json::array()}});
  } else if (!is_wanted) {
    print("run " + printable(run.record.id, 40) + " has not failed\n");
  } else if (lines.empty()) {
    print("no events were logged\n");
  } else {
    std::string text;
    for (const LogLine& line : lines) {
      text += line.text + "\n";
    }
    print_fenced(text);
  }
  return 0;
}

/// The options of one call.
struct ViewOptions {
  std::string id;
  bool log = false;
  bool log_failed = false;
  bool as_json = false;
};

std::optional<int> parse(ViewOptions& options, std::span<char*> args) {
  Options app{
      "Show all that is known about one run: how it ended, what it used, what it left, why it was "
      "ended. A live run is shown from the lane.",
      "onelane runs view"};
  app.add_option("id", options.id, "the run's id, or a prefix that is unique")
      ->required()
      ->check(not_empty());
  app.add_flag("--log", options.log,
               "only what was logged about it; before that, the output of a detached run");
  app.add_flag("--log-failed", options.log_failed, "the same, but only if it failed");
  app.add_flag("--json", options.as_json, "one JSON object: schema, id, state, ending, log, …");
  app.footer(exit_codes({{1, "there is no such run here, or several have that prefix"}}));
  return parse_words(app, args);
}

int command_runs_view(std::span<char*> args) {
  ViewOptions options;
  if (const auto code = parse(options, args)) {
    return *code;
  }
  const auto lanes = journal_here_or_say();
  if (!lanes) {
    return 1;
  }
  const auto run = find_run_or_say(*lanes, options.id);
  if (!run) {
    return 1;
  }
  const std::string directory = log_directory(lanes->project, lanes->settings);
  const LogText output{directory, run->record.id, ".out"};
  const LogText log{directory, run->record.id, ".log"};
  if (options.log || options.log_failed) {
    std::vector<LogLine> lines = output.lines;
    lines.insert(lines.end(), log.lines.begin(), log.lines.end());
    return show_log(*run, lines, options.log_failed, options.as_json);
  }
  const auto jobs =
      is_queue_start(run->record) ? jobs_of(*lanes, run->record.id) : std::vector<RunView>{};
  if (options.as_json) {
    print_json(page_json(*run, jobs, log.path, output.path));
  } else {
    print_fenced(Page{*run, jobs}.text(log.path, output.path));
  }
  return 0;
}

}  // namespace

constinit const Command verbs::runs_view{"view", "all that is known about one run",
                                         &command_runs_view};

}  // namespace onelane::multicall
