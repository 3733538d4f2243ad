#include <nlohmann/json.hpp>

#include <unistd.h>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/call.hpp"
#include "multicall/queue/child.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/term/confirm.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/queue_options.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;

/// Why an entry is not added: the exit code and the message.
struct AddRefusal {
  int code = 0;
  std::string line;
};

std::string directory_here() {
  char path[4096];
  if (::getcwd(path, sizeof path) == nullptr) {
    sys::throw_errno("find", "the current directory");
  }
  return path;
}

queue::Entry entry_of(const std::vector<std::string>& argv, const QueueEntryOptions& options,
                      bool is_deferred) {
  queue::Entry entry;
  entry.argv = argv;
  entry.cwd = directory_here();
  entry.environment = std::make_shared<queue::Environment>(environment_to_keep());
  set_entry_options(entry, options);
  entry.user = sys::user_name(::getuid());
  entry.agent = caller_agent();
  entry.is_deferred = is_deferred;
  entry.added_wall_ms = sys::wall_milliseconds();
  return entry;
}

/// In CI, a command that is queued and never started looks like one that passed.
std::optional<AddRefusal> refusal_of(const queue::Commit& queue, bool is_started,
                                     bool is_deferred) {
  if (queue.is_closed) {
    return AddRefusal{1, "the queue is closed (`onelane queue reopen`)"};
  }
  if (queue.entries >= queue::kMostEntries) {
    return AddRefusal{1, "the queue is full: it has " + std::to_string(queue::kMostEntries) +
                             " entries (`onelane queue clear`)"};
  }
  if (is_ci() && !is_started && !is_deferred) {
    return AddRefusal{
        kExitUsage,
        "onelane queue add: this is CI, and the queue is not running: a command that is queued and "
        "never started would look like one that passed. Use `onelane run`, or add with "
        "--deferred and then `onelane queue start`"};
  }
  return std::nullopt;
}

int add(const LanesHere& lanes, queue::Store& store, queue::Entry entry, bool as_json) {
  make_queue_directory(lanes);
  std::optional<AddRefusal> refusal;
  bool is_started = false;
  const queue::Commit after = store.add(entry, [&](const queue::Commit& queue) {
    // A start that is about to end has already removed itself as the starter.
    is_started = queue.has_starter && !queue.is_stopping && store.is_started();
    refusal = refusal_of(queue, is_started, entry.is_deferred);
    return !refusal;
  });
  if (refusal) {
    say_always(refusal->line);
    return refusal->code;
  }
  if (as_json) {
    json out = json_of(entry);
    out["schema"] = 1;
    out["position"] = after.queued;
    out["is_being_run"] = is_started;
    print_json(out);
  } else {
    print("queued " + name_of(entry) + " (not run yet; " +
          (is_started ? "the queue start in progress runs it" : "\"onelane queue start\" runs it") +
          ")\n");
  }
  return 0;
}

int command_queue_add(std::span<char*> args) {
  Options app{
      "Put a command into the queue. Nothing runs yet: `onelane queue start` runs it, in the "
      "present directory and environment. In CI, where a command that never runs is easily missed, "
      "add works only while the queue is running, or with --deferred.",
      "onelane queue add"};
  QueueEntryOptions options;
  bool is_deferred = false;
  bool as_json = false;
  add_entry_options(app, options);
  app.find("--retry-delay")->needs("--retry");
  add_atoms_explain(app, options.atoms);
  app.add_flag("--deferred", is_deferred, "in CI: promise that this job starts the queue later");
  app.add_flag("--json", as_json, "one JSON object: schema, id, state, position, is_being_run, …");
  app.prefix_command();
  app.footer(exit_codes(
      {{0, "it is in the queue; nothing was run"},
       {1, "the queue is closed or full, or no project has adopted onelane"},
       {kExitUsage, "bad usage; a split that --atoms refuses; in CI: the queue is not running"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  const auto command = command_behind(app, args, "onelane queue add [options] -- COMMAND");
  if (command.empty()) {
    return kExitUsage;
  }
  const Call call = make_call(static_cast<int>(command.size()), command.data());
  if (options.atoms.explain) {
    return explain_atoms(options.atoms, as_json, call);
  }
  if (const auto code = refuse_atoms(options.atoms, call)) {
    return *code;
  }
  say_atoms_doubt(options.atoms, call);
  const std::vector<std::string> argv{command.begin(), command.end()};
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    return add(lanes, store, entry_of(argv, options, is_deferred), as_json);
  });
}

}  // namespace

constinit const Command verbs::queue_add{"add", "put a command into it; nothing runs yet",
                                         &command_queue_add};

}  // namespace onelane::multicall
