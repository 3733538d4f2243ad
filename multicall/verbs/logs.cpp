#include <algorithm>
#include <nlohmann/json.hpp>

#include "multicall/cli/shared_options.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/follow_runs.hpp"
#include "multicall/view/newest_logs.hpp"
#include "multicall/view/run_filter.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

constexpr std::size_t kNewest = 10;  ///< Logs that are merged if no run is named.
constexpr std::chrono::milliseconds kSafety{30'000};

/// The options of one call.
struct LogOptions {
  std::string id;
  bool follow = false;
  std::optional<std::size_t> tail;
  std::int64_t since_wall_ms = 0;
  bool as_json = false;
};

std::optional<int> parse(LogOptions& options, std::span<char*> args) {
  Options app{
      "Print what was logged about a run: its warnings, why it was ended, what it left; before "
      "that, if it was detached, its output. Without an id, print the ten newest logs merged by "
      "time.",
      "onelane logs"};
  app.add_option("id", options.id, "the run's id, or a prefix that is unique")->check(not_empty());
  app.add_flag("-f,--follow", options.follow, "go on until the run has ended, or Ctrl-C");
  app.add_option("-n,--tail", options.tail, "print only the last lines");
  add_since(app, options.since_wall_ms, "only what was logged since then");
  app.add_flag("--json", options.as_json,
               "one JSON object per line: schema, id, time (null for output), text");
  app.footer(exit_codes({{1, "there is no such run here"}}));
  return parse_words(app, args);
}

/// Prints lines of one run or of several.
class LogPrinter {
 public:
  LogPrinter(const LogOptions& options, bool names_runs)
      : options_{options}, names_runs_{names_runs} {}

  void put(std::vector<LogLine> lines) {
    std::erase_if(lines, [&](const LogLine& line) {
      return wall_ms_of(line.time).value_or(0) < options_.since_wall_ms;
    });
    std::ranges::stable_sort(lines, {}, &LogLine::time);
    if (is_first_ && options_.tail && lines.size() > *options_.tail) {
      lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(*options_.tail));
    }
    is_first_ = false;
    std::string text;
    for (const LogLine& line : lines) {
      text += words_of(line) + "\n";
    }
    has_printed_ = has_printed_ || !text.empty();
    if (!text.empty()) {
      print(text);
    }
  }

  /// Says that there was nothing, but only to people.
  void end() const {
    if (!has_printed_ && !options_.as_json) {
      print("no events were logged\n");
    }
  }

 private:
  [[nodiscard]] std::string words_of(const LogLine& line) const {
    if (!options_.as_json) {
      return names_runs_ ? line.run_id + "  " + line.text : line.text;
    }
    return json_line({{"schema", 1},
                      {"id", line.run_id},
                      {"time", line.time.empty() ? json(nullptr) : json(line.time)},
                      {"text", line.text}});
  }

  const LogOptions& options_;
  const bool names_runs_;
  bool is_first_ = true;
  bool has_printed_ = false;
};

std::vector<LogLine> take_from(LogTail& log, bool is_last) {
  auto lines = log.next();
  if (is_last) {
    std::ranges::move(log.rest(), std::back_inserter(lines));
  }
  return lines;
}

/// The log of one run; before it its output, if the run was detached.
class WholeLog {
 public:
  WholeLog(const std::string& directory, const std::string& run_id)
      : output_{directory, run_id, ".out"}, events_{directory, run_id} {}

  std::vector<LogLine> take(bool is_last) {
    auto lines = take_from(output_, is_last);
    std::ranges::move(take_from(events_, is_last), std::back_inserter(lines));
    return lines;
  }

 private:
  LogTail output_;
  LogTail events_;
};

int show_one(const LanesHere& lanes, RunView run, const LogOptions& options) {
  const std::string directory = log_directory(lanes.project, lanes.settings);
  WholeLog log{directory, run.record.id};
  LogPrinter printer{options, false};
  if (options.follow && run.live) {
    if (is_inside(run)) {
      say_always("this call is a part of run " + run.record.id + ": it would wait for itself");
      return 1;
    }
    RunFollower follower{lanes, std::move(run), directory};
    while (!follower.look()) {
      printer.put(log.take(false));
      if (!follower.wait()) {
        return 0;
      }
    }
  }
  printer.put(log.take(true));
  printer.end();
  return 0;
}

/// The newest logs; with `follow` also every log created from then on.
int show_all(const LanesHere& lanes, const LogOptions& options) {
  const std::string directory = log_directory(lanes.project, lanes.settings);
  // Closing an inotify instance takes the kernel longer than everything else here.
  std::optional<Changes> changes;
  if (options.follow) {
    changes.emplace(lanes, directory);
  }
  LogPrinter printer{options, true};
  std::vector<LogTail> logs;
  for (;;) {
    const auto newest = newest_logs(lanes, kNewest);
    for (const std::string& id : newest) {
      if (std::ranges::find(logs, id, &LogTail::run_id) == logs.end()) {
        logs.emplace_back(directory, id);
      }
    }
    std::vector<LogLine> lines;
    for (LogTail& log : logs) {
      const bool is_new = std::ranges::find(newest, log.run_id()) != newest.end();
      if (is_new || log.is_open()) {
        std::ranges::move(take_from(log, !options.follow || !is_new), std::back_inserter(lines));
      }
      if (!is_new) {
        log.close();
      }
    }
    printer.put(std::move(lines));
    if (!options.follow) {
      printer.end();
      return 0;
    }
    if (!changes->wait(kSafety)) {
      return 0;
    }
  }
}

int command_logs(std::span<char*> args) {
  LogOptions options;
  if (const auto code = parse(options, args)) {
    return *code;
  }
  const auto lanes = journal_here_or_say();
  if (!lanes) {
    return 1;
  }
  std::optional<CiFence> fence;
  if (!options.as_json) {
    fence.emplace();
  }
  if (options.id.empty()) {
    return show_all(*lanes, options);
  }
  auto run = find_run_or_say(*lanes, options.id);
  return run ? show_one(*lanes, std::move(*run), options) : 1;
}

}  // namespace

constinit const Command verbs::logs{
    "logs", "what was logged about a run; -f follows", &command_logs, {}, Group::Look};

}  // namespace onelane::multicall
