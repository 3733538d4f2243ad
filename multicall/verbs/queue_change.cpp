#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/sys/values.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/verbs/queue_options.hpp"
#include "multicall/verbs/rows.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using queue::Entry;
using queue::State;

/// The position among the waiting entries, from 1; 0 for an entry that does not wait.
std::size_t position_of(const queue::Queue& queue, std::uint64_t id) {
  std::size_t position = 0;
  for (const Entry& entry : queue.entries) {
    position += entry.state == State::Queued ? 1U : 0U;
    if (entry.id == id) {
      return entry.state == State::Queued ? position : 0;
    }
  }
  return 0;
}

/// Says that `entry` has begun and cannot be changed; returns 1.
int refuse_begun(const Entry& entry) {
  say_always(name_of(entry) + " is " + std::string{queue::word_of(entry.state)} +
             ", no longer queued");
  return 1;
}

/// Changes one waiting entry, and shows the result.
int change_entry(queue::Store& store, std::uint64_t id, bool as_json,
                 const std::function<void(queue::Queue&, Entry&)>& act) {
  std::optional<Entry> found;
  std::size_t position = 0;
  change_queue(store, [&](queue::Queue& queue) {
    Entry* entry = queue::find(queue, id);
    if (entry == nullptr) {
      return;
    }
    if (entry->state == State::Queued) {
      act(queue, *entry);
      position = position_of(queue, id);
      entry = queue::find(queue, id);
    }
    found = *entry;
  });
  if (!found) {
    return refuse_entry(id);
  }
  if (position == 0) {
    return refuse_begun(*found);
  }
  if (as_json) {
    json out = json_of(*found);
    out["schema"] = 1;
    out["position"] = position;
    print_json(out);
  } else {
    print(name_of(*found) + " is " + ordinal(position) + " in the queue\n");
  }
  return 0;
}

int remove_entries(queue::Store& store, const std::vector<std::uint64_t>& ids, bool as_json) {
  int code = 0;
  json removed = json::array();
  std::string text;
  change_queue(store, [&](queue::Queue& queue) {
    for (const std::uint64_t id : ids) {
      const Entry* entry = queue::find(queue, id);
      if (entry == nullptr) {
        code = refuse_entry(id);
      } else if (entry->state == State::Running) {
        code = 1;
        say_always(name_of(*entry) + " is running (`onelane stop` ends it)");
      } else {
        removed.push_back(id);
        text += "removed " + name_of(*entry) + "\n";
        std::erase_if(queue.entries, [&](const Entry& other) { return other.id == id; });
      }
    }
  });
  if (as_json) {
    print_json({{"schema", 1}, {"removed", std::move(removed)}});
  } else {
    print(text);
  }
  return code;
}

int command_queue_remove(std::span<char*> args) {
  Options app{"Remove entries from the queue in any state but running.", "onelane queue remove"};
  std::vector<std::uint64_t> ids;
  bool as_json = false;
  app.add_option("id", ids, "numbers of entries, as `onelane queue status` shows them")
      ->required()
      ->check(completes("entries"));
  app.add_flag("--json", as_json, "one JSON object: schema, removed");
  app.footer(exit_codes({{1, "one of them is running or is not in the queue"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    make_queue_directory(lanes);
    return remove_entries(store, ids, as_json);
  });
}

}  // namespace

constinit const Command verbs::queue_remove{"remove", "remove entries from it",
                                            &command_queue_remove};

namespace {

int command_queue_move(std::span<char*> args) {
  Options app{"Give an entry another place among the waiting ones.", "onelane queue move"};
  std::uint64_t id = 0;
  std::size_t position = 0;
  bool as_json = false;
  app.add_option("id", id, "number of an entry, as `onelane queue status` shows it")
      ->required()
      ->check(completes("entries"));
  app.add_option("position", position,
                 "its new place, from 1; a larger number than there are entries means last")
      ->required()
      ->check(must_be("a number above 0", [](const std::string& text) {
        return sys::parse_count(text).value_or(0) > 0;
      }));
  app.add_flag("--json", as_json, "one JSON object: schema, id, position, …");
  app.footer(exit_codes({{1, "it has begun or is not in the queue"}}));
  if (const auto code = parse_words(app, args)) {
    return *code;
  }
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    make_queue_directory(lanes);
    return change_entry(store, id, as_json, [&](queue::Queue& queue, Entry&) {
      (void)queue::move(queue, id, position);
    });
  });
}

}  // namespace

constinit const Command verbs::queue_move{"move", "give an entry another place",
                                          &command_queue_move};

namespace {

int command_queue_edit(std::span<char*> args) {
  Options app{
      "Change a waiting entry: its label, its options and, if one follows `--`, its command. "
      "Directory and environment stay those of `add`.",
      "onelane queue edit"};
  std::uint64_t id = 0;
  QueueEntryOptions options;
  bool as_json = false;
  app.add_option("id", id, "number of an entry, as `onelane queue status` shows it")
      ->required()
      ->check(completes("entries"));
  add_entry_options(app, options);
  app.add_flag("--json", as_json, "one JSON object: schema, id, position, …");
  app.footer(exit_codes({{1, "it has begun or is not in the queue"}}));
  // What follows `--` is the command; the parser would take it for our own arguments.
  const auto dashes =
      std::ranges::find_if(args, [](const char* word) { return std::string_view{word} == "--"; });
  const std::vector<std::string> argv{dashes == args.end() ? dashes : dashes + 1, args.end()};
  if (const auto code =
          parse_words(app, args.first(static_cast<std::size_t>(dashes - args.begin())))) {
    return *code;
  }
  if (options.run.empty() && !options.atoms.are_wanted() && !options.label && argv.empty()) {
    say_always("onelane queue edit: nothing to change (see `onelane queue edit --help`)");
    return kExitUsage;
  }
  return with_queue([&](const LanesHere& lanes, queue::Store& store) {
    make_queue_directory(lanes);
    const auto edit = [&](Entry& entry) {
      set_entry_options(entry, options);
      entry.argv = argv.empty() ? std::move(entry.argv) : argv;
    };
    queue::Queue before = store.read();
    if (Entry* entry = queue::find(before, id); entry != nullptr) {
      edit(*entry);
      if (has_option(*entry, "--retry-delay") && !has_option(*entry, "--retry")) {
        say_always(
            "onelane queue edit: --retry-delay requires --retry (see `onelane queue edit --help`)");
        return kExitUsage;
      }
      if (const auto code = refuse_entry_atoms(*entry)) {
        return *code;
      }
    }
    return change_entry(store, id, as_json, [&](queue::Queue&, Entry& entry) { edit(entry); });
  });
}

}  // namespace

constinit const Command verbs::queue_edit{"edit", "change a waiting entry", &command_queue_edit};

}  // namespace onelane::multicall
