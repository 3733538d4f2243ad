#include "multicall/queue/queue_view.hpp"

#include <nlohmann/json.hpp>

#include "core/project/state.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/text.hpp"
#include "multicall/term/say.hpp"
#include "multicall/view/find_ticket.hpp"

namespace onelane::multicall {

using nlohmann::json;

std::string command_of(const queue::Entry& entry) {
  std::string text;
  for (const std::string& word : entry.argv) {
    text += text.empty() ? "" : " ";
    sys::append_printable(text, word, 4096);
  }
  return text;
}

std::string name_of(const queue::Entry& entry) {
  return std::to_string(entry.id) + ": " + command_of(entry);
}

std::vector<std::string> run_options_of(const queue::Entry& entry) {
  std::vector<std::string> words = entry.options;
  if (!entry.atoms.which.empty()) {
    words.push_back("--atoms=" + entry.atoms.which);
    if (entry.atoms.size != 0) {
      words.insert(words.end(), {"--atom-size", std::to_string(entry.atoms.size)});
    }
    if (entry.atoms.is_forced) {
      words.emplace_back("--force");
    }
  }
  return words;
}

json json_of(const queue::Entry& entry) {
  json atoms = nullptr;
  if (!entry.atoms.which.empty()) {
    atoms = {{"which", entry.atoms.which},
             {"size", entry.atoms.size == 0 ? json(nullptr) : json(entry.atoms.size)},
             {"force", entry.atoms.is_forced}};
  }
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? json(nullptr) : json(text);
  };
  const auto time_or_null = [](std::int64_t ms) { return ms == 0 ? json(nullptr) : json(ms); };
  return {{"id", entry.id},
          {"state", queue::word_of(entry.state)},
          {"command", command_of(entry)},
          {"argv", entry.argv},
          {"cwd", entry.cwd},
          {"options", entry.options},
          {"atoms", std::move(atoms)},
          {"label", text_or_null(entry.label)},
          {"user", text_or_null(entry.user)},
          {"agent", text_or_null(entry.agent)},
          {"deferred", entry.is_deferred},
          {"code", entry.code ? json(*entry.code) : json(nullptr)},
          {"run", text_or_null(entry.run)},
          {"queue_start", text_or_null(entry.queue_start)},
          {"added_wall_ms", time_or_null(entry.added_wall_ms)},
          {"started_wall_ms", time_or_null(entry.started_wall_ms)},
          {"ended_wall_ms", time_or_null(entry.ended_wall_ms)}};
}

int with_queue(const std::function<int(const LanesHere&, queue::Store&)>& act) {
  return with_lanes([&](const LanesHere& lanes) {
    queue::Store store{lanes.project.state_dir, [] {
                         say_always(
                             "queue: the last change was not completed, as after a crash, and is "
                             "left out; nothing that was confirmed is lost");
                       }};
    return act(lanes, store);
  });
}

void make_queue_directory(const LanesHere& lanes) {
  (void)project::open_state(lanes.project);
}

void change_queue(queue::Store& store, const std::function<void(queue::Queue&)>& act) {
  store.change([&](queue::Queue& queue) {
    if (!store.is_started()) {
      // The starter stays in the file: the next start records the queue start of the killed one.
      queue::interrupt(queue, sys::wall_milliseconds());
    }
    act(queue);
  });
}

int refuse_entry(std::uint64_t id) {
  say_always("no entry " + std::to_string(id) + " in the queue (see `onelane queue status`)");
  return 1;
}

}  // namespace onelane::multicall
