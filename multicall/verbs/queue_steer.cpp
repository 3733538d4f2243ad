#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using queue::State;

/// A verb that switches one property of the whole queue.
struct QueueTurn {
  const char* name;
  const char* summary;
  const char* done;                   ///< The message when it changed something,
  const char* already;                ///< and when it did not.
  bool (*turn)(queue::Queue& queue);  ///< Returns true when it did.
};

int turn_queue(const QueueTurn& verb, std::span<char*> args) {
  Options app{verb.summary, std::string{"onelane queue "} + verb.name};
  bool as_json = false;
  app.add_flag("--json", as_json, "one JSON object: schema, changed, closed, paused_wall_ms");
  app.footer(exit_codes({{1, "it cannot be changed"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    make_queue_directory(lanes);
    bool has_changed = false;
    queue::Queue after;
    store.change([&](queue::Queue& queue) {
      has_changed = verb.turn(queue);
      after = queue;
    });
    if (as_json) {
      print_json({{"schema", 1},
                  {"changed", has_changed},
                  {"closed", after.is_closed},
                  {"paused_wall_ms",
                   after.paused_wall_ms == 0 ? json(nullptr) : json(after.paused_wall_ms)}});
    } else {
      print(std::string{has_changed ? verb.done : verb.already} + "\n");
    }
    return 0;
  });
}

bool set_closed(queue::Queue& queue, bool is_closed) {
  return std::exchange(queue.is_closed, is_closed) != is_closed;
}

bool set_paused(queue::Queue& queue, bool is_paused) {
  const bool has_changed = (queue.paused_wall_ms != 0) != is_paused;
  if (has_changed) {
    queue.paused_wall_ms = is_paused ? sys::wall_milliseconds() : 0;
  }
  return has_changed;
}

/// What `stop` found in the queue.
struct QueueStop {
  bool is_started = false;
  std::optional<queue::Entry> running;
  std::size_t left = 0;
};

int report_stop(const QueueStop& stop, bool as_json) {
  if (as_json) {
    print_json({{"schema", 1},
                {"stopping", stop.is_started},
                {"running", stop.running ? json_of(*stop.running) : json(nullptr)},
                {"left", stop.left}});
  } else if (!stop.is_started) {
    say_always("the queue is not running");
  } else {
    print(fmt::format("no further entry begins{}; {} stay queued\n",
                      stop.running ? "; " + name_of(*stop.running) + " still runs" : "",
                      stop.left));
  }
  return stop.is_started ? 0 : 1;
}

std::size_t clear(queue::Store& store) {
  std::size_t removed = 0;
  try {
    change_queue(store, [&](queue::Queue& queue) {
      removed = std::erase_if(
          queue.entries, [](const queue::Entry& entry) { return entry.state != State::Running; });
    });
  } catch (const sys::SystemError& error) {
    if (error.code() != std::errc::bad_message && error.code() != std::errc::file_too_large) {
      throw;
    }
    say_always(error.what());
    store.discard();
  }
  return removed;
}

int command_queue_pause(std::span<char*> args) {
  return turn_queue(
      {"pause", "Let the running entry finish, and begin no other until `resume`.",
       "paused: what runs ends, nothing begins until `onelane queue resume`",
       "the queue is paused already", [](queue::Queue& queue) { return set_paused(queue, true); }},
      args);
}

}  // namespace

constinit const Command verbs::queue_pause{
    "pause", "let the running entry finish, begin none until `resume`", &command_queue_pause};

namespace {

int command_queue_resume(std::span<char*> args) {
  return turn_queue({"resume", "End `pause`.", "resumed", "the queue is not paused",
                     [](queue::Queue& queue) { return set_paused(queue, false); }},
                    args);
}

}  // namespace

constinit const Command verbs::queue_resume{"resume", "end `pause`", &command_queue_resume};

namespace {

int command_queue_close(std::span<char*> args) {
  return turn_queue(
      {"close", "Accept no further entries: `add` is refused until `reopen`.",
       "closed: nothing is added until `onelane queue reopen`", "the queue is closed already",
       [](queue::Queue& queue) { return set_closed(queue, true); }},
      args);
}

}  // namespace

constinit const Command verbs::queue_close{"close", "accept no further entries",
                                           &command_queue_close};

namespace {

int command_queue_reopen(std::span<char*> args) {
  return turn_queue({"reopen", "End `close`.", "open", "the queue is open",
                     [](queue::Queue& queue) { return set_closed(queue, false); }},
                    args);
}

}  // namespace

constinit const Command verbs::queue_reopen{"reopen", "end `close`", &command_queue_reopen};

namespace {

int command_queue_stop(std::span<char*> args) {
  Options app{
      "End the queue start in progress before its next entry. The running entry finishes; "
      "`onelane stop` ends it.",
      "onelane queue stop"};
  bool as_json = false;
  app.add_flag("--json", as_json, "one JSON object: schema, stopping, running, left");
  app.footer(exit_codes({{1, "the queue is not running"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    make_queue_directory(lanes);
    QueueStop stop;
    const bool has_starter = store.is_started();
    store.change([&](queue::Queue& queue) {
      stop.is_started = has_starter && queue.starter;
      queue.is_stopping = stop.is_started;
      stop.left = queue::count(queue, State::Queued);
      const auto running = std::ranges::find(queue.entries, State::Running, &queue::Entry::state);
      if (stop.is_started && running != queue.entries.end()) {
        stop.running = *running;
      }
    });
    return report_stop(stop, as_json);
  });
}

}  // namespace

constinit const Command verbs::queue_stop{"stop", "end the queue start before its next entry",
                                          &command_queue_stop};

namespace {

int command_queue_clear(std::span<char*> args) {
  Options app{
      "Remove every entry but the running one. A damaged queue is replaced by an empty one.",
      "onelane queue clear"};
  bool as_json = false;
  app.add_flag("--json", as_json, "one JSON object: schema, removed");
  app.footer(exit_codes({{1, "it cannot be changed"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    make_queue_directory(lanes);
    const std::size_t removed = clear(store);
    if (as_json) {
      print_json({{"schema", 1}, {"removed", removed}});
    } else {
      print("removed " + counted(removed, "entry", "entries") + "\n");
    }
    return 0;
  });
}

}  // namespace

constinit const Command verbs::queue_clear{"clear", "remove every entry but the running one",
                                           &command_queue_clear};

}  // namespace onelane::multicall
