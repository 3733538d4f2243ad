#include <algorithm>
#include <nlohmann/json.hpp>

#include "multicall/term/exit_codes.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/follow_runs.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// One call of the verb: prints a line, or an object, for each event.
class RunWatch {
 public:
  RunWatch(const LanesHere& lanes, RunView run, bool as_json)
      : follower_{lanes, std::move(run), log_directory(lanes.project, lanes.settings)},
        log_{log_directory(lanes.project, lanes.settings), follower_.run().record.id},
        as_json_{as_json} {}

  /// The run's code, once it is over.
  int follow() {
    if (!follower_.run().live) {
      say_end();
      return exit_status_of(follower_.run().record);
    }
    for (;;) {
      const bool is_over = follower_.look();
      say_progress(is_over);
      if (is_over) {
        break;
      }
      if (!follower_.wait()) {
        return 1;  // standard output has no reader any more
      }
    }
    if (follower_.has_record()) {
      say_end();
      return exit_status_of(follower_.run().record);
    }
    tell("ended",
         follower_.has_started() ? "ended without a record" : "left the queue without having run");
    return follower_.has_started() ? 1 : kExitGaveUp;
  }

 private:
  void say_progress(bool is_over) {
    const RunView& run = follower_.run();
    if (!is_over && !has_said_first_) {
      has_said_first_ = true;
      tell(run.live->has_started() ? "running" : "queued",
           "run " + run.record.id + " `" + run.command + "`: " + outcome_of(run));
      has_said_start_ = run.live->has_started();
    }
    if (!is_over && !has_said_start_ && follower_.has_started()) {
      has_said_start_ = true;
      tell("started", "started after " + duration_words(milliseconds{run.record.waited_ms}));
    }
    auto lines = log_.next();
    if (is_over) {
      std::ranges::move(log_.rest(), std::back_inserter(lines));
    }
    for (const LogLine& line : lines) {
      tell("log", line.text);
    }
  }

  void say_end() {
    const RunView& run = follower_.run();
    if (as_json_) {
      json out = to_json(run);
      out["schema"] = 1;
      out["event"] = "ended";
      print_json(out);
      return;
    }
    print("run " + printable(run.record.id, 40) + " `" + printable(run.command, 200) +
          "`: " + ending_of(run.record) +
          (run.record.duration_ms == 0 && !is_end_unknown(run.record)
               ? ""
               : ", after " + took_words(run.record)) +
          "\n");
  }

  void tell(std::string_view event, const std::string& text) const {
    if (as_json_) {
      print_json(
          {{"schema", 1}, {"event", event}, {"id", follower_.run().record.id}, {"text", text}});
    } else {
      print(text + "\n");
    }
  }

  RunFollower follower_;
  LogTail log_;
  const bool as_json_;
  bool has_said_first_ = false;
  bool has_said_start_ = false;
};

int command_runs_watch(std::span<char*> args) {
  Options app{
      "Follow a live or waiting run until its end: a line for its start, for each event in its log "
      "and for its end.",
      "onelane runs watch"};
  std::string id;
  bool exit_status = false;
  bool as_json = false;
  app.add_option("id", id, "the run's id, or a prefix that is unique")
      ->required()
      ->check(not_empty());
  app.add_flag("--exit-status", exit_status,
               "exit as the run did: 128+N for a signal, 75 when it left the queue");
  app.add_flag("--json", as_json, "one JSON object per line: schema, event, id, …");
  app.footer(exit_codes({{1, "there is no such run here"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto lanes = journal_here_or_say();
  if (!lanes) {
    return 1;
  }
  auto run = find_run_or_say(*lanes, id);
  if (!run) {
    return 1;
  }
  if (is_inside(*run)) {
    say_always("this call is a part of run " + run->record.id + ": it would wait for itself");
    return 1;
  }
  std::optional<CiFence> fence;
  if (!as_json) {
    fence.emplace();
  }
  const int code = RunWatch{*lanes, std::move(*run), as_json}.follow();
  return exit_status ? code : 0;
}

}  // namespace

constinit const Command verbs::runs_watch{"watch", "follow a live run until its end",
                                          &command_runs_watch};

}  // namespace onelane::multicall
