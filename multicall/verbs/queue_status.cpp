#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "core/journal/usual.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"
#include "multicall/cli/shared_options.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/queue/record.hpp"
#include "multicall/term/columns.hpp"
#include "multicall/term/github_log.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using queue::Entry;
using queue::State;

Columns::Paint paint_of(State state, const Paint& paint) {
  switch (state) {
    case State::Queued:
      return [&paint](std::string_view text) { return paint.dim(text); };
    case State::Running:
      return [&paint](std::string_view text) { return paint.cyan(text); };
    case State::Passed:
      return [&paint](std::string_view text) { return paint.green(text); };
    case State::Failed:
      return [&paint](std::string_view text) { return paint.red(text); };
    case State::Interrupted:
      break;
  }
  return [&paint](std::string_view text) { return paint.yellow(text); };
}

std::string time_of(const Entry& entry, journal::Usual& usual) {
  const auto often = usual.duration_of(command_of(entry));
  const std::string usually = often ? "usually " + duration_words(*often) : "";
  if (entry.state == State::Queued) {
    return usually;
  }
  const bool runs = entry.state == State::Running;
  const std::int64_t until = runs ? sys::wall_milliseconds() : entry.ended_wall_ms;
  return span_words(until - entry.started_wall_ms) + (runs && often ? " of " + usually : "");
}

std::string options_text(const Entry& entry) {
  std::string text;
  for (const std::string& word : run_options_of(entry)) {
    text += (text.empty() ? "" : " ") + sys::printable(word, 40);
  }
  return text;
}

std::string queue_text(const queue::Queue& queue, const LanesHere& lanes, const Paint& paint) {
  std::string text = "queue of '" + sys::printable(lanes.project.name) + "'";
  std::string counts;
  for (const State state :
       {State::Running, State::Queued, State::Interrupted, State::Passed, State::Failed}) {
    if (const std::size_t number = queue::count(queue, state); number > 0) {
      counts += fmt::format("{}{} {}", counts.empty() ? ": " : ", ", number, queue::word_of(state));
    }
  }
  text += counts.empty() ? ": empty" : counts;
  text += queue.is_closed ? "; closed" : "";
  text += queue.paused_wall_ms == 0
              ? ""
              : "; paused for " + span_words(sys::wall_milliseconds() - queue.paused_wall_ms);
  text += queue.is_stopping ? "; stops before the next entry" : "";
  text +=
      queue.starter ? "; run by " + sys::printable(starter_words(*queue.starter)) : "; not running";
  text += "\n";
  if (queue.entries.empty()) {
    return text;
  }
  journal::Usual usual{lanes.project.state_dir};
  Columns columns{{{"STATE"},
                   {"ID"},
                   {"COMMAND", 0, true},
                   {"OPTIONS", 1},
                   {"LABEL", 3},
                   {"CODE", 4},
                   {"TOOK", 2}}};
  for (const Entry& entry : queue.entries) {
    columns.add(
        {std::string{queue::word_of(entry.state)}, std::to_string(entry.id), command_of(entry),
         sys::printable(options_text(entry)), sys::printable(entry.label, 40),
         entry.code ? std::to_string(*entry.code) : "", time_of(entry, usual)},
        paint_of(entry.state, paint));
  }
  return text + columns.text(width_of(1));
}

json queue_json(const queue::Queue& queue, const LanesHere& lanes) {
  json entries = json::array();
  for (const Entry& entry : queue.entries) {
    entries.push_back(json_of(entry));
  }
  json start = nullptr;
  if (queue.starter) {
    start = {{"pid", queue.starter->pid},
             {"user", queue.starter->user},
             {"queue_start", queue.starter->queue_start},
             {"since_wall_ms", queue.starter->since_wall_ms}};
  }
  return {
      {"schema", 1},
      {"project", lanes.project.root},
      {"closed", queue.is_closed},
      {"paused_wall_ms", queue.paused_wall_ms == 0 ? json(nullptr) : json(queue.paused_wall_ms)},
      {"stopping", queue.is_stopping},
      {"start", std::move(start)},
      {"entries", std::move(entries)}};
}

int command_queue_status(std::span<char*> args) {
  Options app{"Show what is in the queue, who runs it, and how the last start ended.",
              "onelane queue status"};
  bool as_json = false;
  Paint::When colour = Paint::When::Auto;
  app.add_flag("--json", as_json,
               "one JSON object: schema, project, closed, paused_wall_ms, stopping, start, "
               "entries");
  add_colour(app, colour);
  app.footer(exit_codes({{1, "no project here has adopted onelane, or it cannot be read"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    queue::Queue queue = store.read();
    if (!store.is_started()) {
      queue::forget_starter(queue, sys::wall_milliseconds());
    }
    if (as_json) {
      print_json(queue_json(queue, lanes));
    } else {
      print_fenced(queue_text(queue, lanes, Paint{1, colour}));
    }
    return 0;
  });
}

constexpr const Command* kQueueParts[] = {
    &verbs::queue_add,    &verbs::queue_clear, &verbs::queue_close,  &verbs::queue_edit,
    &verbs::queue_move,   &verbs::queue_pause, &verbs::queue_remove, &verbs::queue_reopen,
    &verbs::queue_resume, &verbs::queue_start, &verbs::queue_status, &verbs::queue_stop};

}  // namespace

constinit const Command verbs::queue_status{"status", "what is in it, and who runs it",
                                            &command_queue_status};

constinit const Command verbs::queue{"queue", "commands to run later, one after the other",
                                     &command_queue_status, kQueueParts, Group::Everyday};

}  // namespace onelane::multicall
