#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/sys/byte_lock.hpp"
#include "core/sys/clock.hpp"
#include "multicall/commands/commands.hpp"
#include "multicall/decide.hpp"
#include "multicall/say.hpp"

namespace onelane::multicall {
namespace {

using lane::State;
using nlohmann::json;

/// One ticket as it is shown.
struct Shown {
  lane::Entry entry;
  std::optional<lane::Detail> detail;
};

/// The lane at one moment, dead tickets left out.
struct View {
  std::optional<Shown> holder;
  std::vector<Shown> queue;
  std::vector<Shown> services;
  std::vector<lane::Kept> kept;
  bool on_hold = false;
};

View look(const lane::Table& table) {
  View view;
  const auto entries = table.entries(table.header().high);
  const auto shown = [&](std::size_t slot) {
    return Shown{entries[slot], table.detail(slot, entries[slot].sequence)};
  };
  for (std::size_t slot = 0; slot < entries.size(); ++slot) {
    const State state = entries[slot].state;
    if (state == State::Free || !table.is_alive(slot)) {
      continue;
    }
    if (state == State::Running) {
      view.holder = shown(slot);
    } else if (state == State::Service) {
      view.services.push_back(shown(slot));
    } else if (state != State::Waiting) {
      view.queue.push_back(shown(slot));  // granted, parked, cancelled
    }
  }
  std::ranges::sort(view.queue, {}, [](const Shown& s) { return s.entry.state != State::Granted; });
  for (const std::size_t slot : lane::waiting_order(entries)) {
    if (table.is_alive(slot)) {
      view.queue.push_back(shown(slot));
    }
  }
  view.kept = table.kept();
  std::erase_if(view.kept, [](const lane::Kept& k) { return !sys::exists({k.pid, k.start}); });
  view.on_hold = table.header().held != 0;
  return view;
}

std::string_view state_words(State state) {
  switch (state) {
    case State::Granted:
      return "granted";
    case State::Parked:
      return "parked";
    case State::Cancelled:
      return "cancelled";
    case State::Running:
      return "running";
    case State::Service:
      return "service";
    default:
      return "waiting";
  }
}

json to_json(const Shown& shown) {
  const bool here = shown.entry.pid_namespace == sys::pid_namespace();
  json out{{"id", lane::view(shown.entry.run_id)},
           {"state", state_words(shown.entry.state)},
           {"pid", here ? json(shown.entry.pid) : json(nullptr)},
           {"user", user_name(shown.entry.uid)},
           {"priority", shown.entry.priority},
           {"overtaken", shown.entry.overtaken}};
  if (shown.detail) {
    out["tool"] = shown.detail->tool.data();
    out["command"] = shown.detail->command.data();
    out["directory"] = shown.detail->directory.data();
    out["enqueued"] = shown.detail->enqueued_wall;
    out["started"] =
        shown.detail->started_wall == 0 ? json(nullptr) : json(shown.detail->started_wall);
  }
  return out;
}

json list_of(const std::vector<Shown>& list) {
  json out = json::array();
  for (const Shown& shown : list) {
    out.push_back(to_json(shown));
  }
  return out;
}

std::string line_of(const Shown& shown) {
  const bool running = shown.entry.state == State::Running || shown.entry.state == State::Service;
  std::string text = shown.detail ? shown.detail->command.data() : "?";
  const bool here = shown.entry.pid_namespace == sys::pid_namespace();
  text +=
      here ? "  (pid " + std::to_string(shown.entry.pid) : std::string{"  (in another container"};
  text += ", user " + user_name(shown.entry.uid);
  if (shown.detail) {
    const std::chrono::nanoseconds since{running ? shown.detail->started_boottime
                                                 : shown.detail->enqueued_boottime};
    text += (running ? ", for " : ", waiting ") + duration_words(sys::boot_time() - since);
  }
  if (shown.entry.state == State::Granted || shown.entry.state == State::Parked ||
      shown.entry.state == State::Cancelled) {
    text += ", " + std::string{state_words(shown.entry.state)};
  }
  return text + ")";
}

std::string text_of(const project::Project& project, const View& view) {
  std::string text = "lane:    " + project.name + "  (" + project.state_dir + ")\n";
  text += "holder:  " + (view.holder ? line_of(*view.holder) : std::string{"nobody"}) + "\n";
  if (view.on_hold) {
    text += "on hold: nobody starts\n";
  }
  std::size_t position = 0;
  for (const Shown& shown : view.queue) {
    std::string number = std::to_string(++position) + ".";
    number.resize(9, ' ');
    text += number + line_of(shown) + "\n";
  }
  for (const Shown& shown : view.services) {
    text += "service: " + line_of(shown) + "\n";
  }
  for (const lane::Kept& kept : view.kept) {
    text += "kept:    " + std::string{kept.name.data()} + "  (pid " + std::to_string(kept.pid) +
            ", left running by run " + std::string{lane::view(kept.run_id)} + ")\n";
  }
  return text;
}

}  // namespace

int command_status(std::span<char*> words) {
  CLI::App app{"Who holds the lane of this project, who waits, which services and daemons run.",
               "onelane status"};
  bool as_json = false;
  app.add_flag("--json", as_json, "one JSON object: schema, project, holder, queue, …");
  if (const auto code = parse_words(app, words)) {
    return *code;
  }
  const auto project = project_here();
  if (!project || !project->adopted) {
    say_always("no project here has adopted onelane (`onelane init`)");
    return 1;
  }
  const auto table = lane::Table::open_existing(project->state_dir + "/lane");
  const View view = table ? look(*table) : View{};
  const auto git_table = lane::Table::open_existing(project->state_dir + "/git/lane");
  if (!as_json) {
    print(text_of(*project, view));
    if (git_table) {
      project::Project git = *project;
      git.name += " (git)";
      git.state_dir += "/git";
      print(text_of(git, look(*git_table)));
    }
    return 0;
  }
  json kept = json::array();
  for (const lane::Kept& k : view.kept) {
    kept.push_back({{"pid", k.pid}, {"name", k.name.data()}, {"run", lane::view(k.run_id)}});
  }
  json out{{"schema", 1},
           {"project", project->root},
           {"lane", project->state_dir},
           {"on_hold", view.on_hold},
           {"holder", view.holder ? to_json(*view.holder) : json(nullptr)},
           {"queue", list_of(view.queue)},
           {"services", list_of(view.services)},
           {"kept", kept}};
  if (git_table) {
    const View git = look(*git_table);
    out["git_lane"] = {{"holder", git.holder ? to_json(*git.holder) : json(nullptr)},
                       {"queue", list_of(git.queue)}};
  }
  print(out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n");
  return 0;
}

}  // namespace onelane::multicall
