#include "multicall/view/run_view.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>

#include "core/journal/journal.hpp"
#include "core/sys/text.hpp"
#include "multicall/context/call.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall {
namespace {

using journal::Reason;
using journal::Record;
using nlohmann::json;
using std::chrono::milliseconds;

RunView live_view_of(TicketView ticket, const LanesHere& lanes, const lane::Table& table) {
  RunView view;
  Record& record = view.record;
  record.id = ticket.id;
  record.project = lanes.project.root;
  record.lane = table.directory();
  record.tool = ticket.tool;
  record.cwd = ticket.directory;
  record.branch = current_branch(lanes.project.git_dir);
  record.cls = ticket.state == lane::State::Service ? "service"
               : ticket.may_prompt                  ? "editor"
                                                    : "lane";
  record.user = ticket.user;
  record.uid = ticket.uid;
  record.tty = ticket.terminal;
  record.agent = ticket.agent;
  record.queued_wall_ms = ticket.enqueued_wall * 1000;
  record.started_wall_ms = ticket.started_wall * 1000;
  record.waited_ms = std::chrono::duration_cast<milliseconds>(ticket.waited).count();
  record.duration_ms = std::chrono::duration_cast<milliseconds>(ticket.running).count();
  record.released_ms = ticket.released.value_or(milliseconds{0}).count();
  record.fence = ticket.sequence;
  record.pipeline_of = ticket.pipeline_of;
  view.command = printable(ticket.command);
  view.live = std::move(ticket);
  return view;
}

std::string signal_name(std::int64_t number) {
  const char* name = ::sigabbrev_np(static_cast<int>(number));
  return name == nullptr ? fmt::format("signal {}", number) : "SIG" + std::string{name};
}

constexpr std::size_t kIdLength = 11;
constexpr std::size_t kMostCandidates = 6;
constexpr std::time_t kSecondsToRecord = 10;

/// The newest record of each id with that prefix, up to kMostCandidates.
std::vector<journal::Record> records_of(const std::string& directory, std::string_view id) {
  std::vector<journal::Record> found;
  const std::string wanted = R"("id":")" + std::string{id};
  journal::for_each_with(directory, wanted, [&](std::string_view line) {
    if (line.substr(0, 64).find(wanted) != std::string_view::npos) {
      auto record = journal::parse(line);
      const auto is_it = [&](const journal::Record& other) { return other.id == record->id; };
      if (record && record->id.starts_with(id) && std::ranges::none_of(found, is_it)) {
        found.push_back(std::move(*record));
      }
    }
    return found.size() < kMostCandidates;
  });
  return found;
}

bool may_begin_an_id(std::string_view text) {
  std::string whole{text};
  whole.resize(kIdLength, 'a');
  return !text.empty() && text.size() <= kIdLength && journal::is_run_id(whole);
}

/// A run that has left its lane and whose supervisor is about to write its record.
bool has_just_ended(const LanesHere& lanes, std::string_view id) {
  struct stat output {};
  const std::string path =
      log_directory(lanes.project, lanes.settings) + "/" + std::string{id} + ".out";
  return was_last(lanes, id) || (::stat(path.c_str(), &output) == 0 &&
                                 ::time(nullptr) - output.st_mtime < kSecondsToRecord);
}

}  // namespace

std::string_view word_of(RunState state) noexcept {
  switch (state) {
    case RunState::Queued:
      return "queued";
    case RunState::Running:
      return "running";
    case RunState::Ok:
      return "ok";
    case RunState::Failed:
      return "failed";
    case RunState::Killed:
      break;
  }
  return "killed";
}

RunView view_of(Record record) {
  std::string command = shown_command(record);
  return {std::move(record), std::move(command), std::nullopt};
}

std::string shown_command(const Record& record) {
  std::string command = journal::command_text(record);
  if (is_queue_start(record)) {
    command += " (" + counted(record.jobs.size(), "job", "jobs") + ")";
  }
  return command;
}

std::vector<RunView> live_views(const LanesHere& lanes) {
  std::vector<RunView> out;
  for (const lane::Table& table : lanes.tables) {
    LaneView view = view_of(table, nullptr);
    // Once its tool has ended, the run has ended too, and the journal has it.
    if (view.holder &&
        (view.holder->state != lane::State::Background || is_clearing(*view.holder))) {
      out.push_back(live_view_of(std::move(*view.holder), lanes, table));
    }
    for (auto* list : {&view.beside, &view.services, &view.queue}) {
      for (TicketView& ticket : *list) {
        out.push_back(live_view_of(std::move(ticket), lanes, table));
      }
    }
  }
  std::stable_partition(out.begin(), out.end(),
                        [](const RunView& run) { return run.live->has_started(); });
  return out;
}

RunState state_of(const RunView& run) noexcept {
  if (run.live) {
    return run.live->has_started() ? RunState::Running : RunState::Queued;
  }
  if (run.record.reason == Reason::NotStarted) {
    return RunState::Failed;
  }
  if (run.record.reason != Reason::Exited) {
    return RunState::Killed;
  }
  return run.record.code == 0 ? RunState::Ok : RunState::Failed;
}

std::string outcome_of(const RunView& run) {
  if (run.live) {
    const auto state = run.live->state;
    return state == lane::State::Waiting ? "queued" : std::string{word_of(state)};
  }
  const Record& record = run.record;
  if (record.reason == Reason::Signalled) {
    return signal_name(record.signal);
  }
  if (record.reason != Reason::Exited) {
    return std::string{journal::word_of(record.reason)};
  }
  return record.code == 0 ? "ok" : record.code ? fmt::format("exit {}", *record.code) : "exited";
}

std::string ending_of(const Record& record) {
  const std::string word{journal::word_of(record.reason)};
  const std::string exit = record.code ? fmt::format("exit {}", *record.code) : "";
  const std::string how = record.signal != 0 ? "died of " + signal_name(record.signal) : exit;
  if (sys::is_by_onelane(record.reason)) {
    return (record.reason == Reason::Stopped ? "stopped on order" : "ended by onelane: " + word) +
           (how.empty() ? "" : ", " + how);
  }
  if (record.reason == Reason::Crashed) {
    return "crashed: its supervisor was killed";
  }
  if (record.reason == Reason::NotStarted) {
    return "could not be started";
  }
  return (how.empty() ? "exited" : how) +
         (record.joined.empty() ? "" : ", joined run " + printable(record.joined, 40));
}

bool is_end_unknown(const Record& record) noexcept {
  return record.reason == Reason::Crashed && record.ended_wall_ms == 0;
}

std::string took_words(const Record& record) {
  if (!record.joined.empty()) {
    return "joined " + printable(record.joined, 40);
  }
  return is_end_unknown(record) ? "?" : span_words(record.duration_ms);
}

std::uint64_t memory_now_kb(const RunView& run) {
  std::uint64_t bytes = 0;
  if (run.live && run.live->has_started()) {
    for (const ProcessView& process : processes_of(*run.live)) {
      bytes += process.bytes;
    }
  }
  return bytes >> 10U;
}

json to_json(const RunView& run) {
  json out = json::parse(journal::to_line(run.record, journal::Context::LeftOut), nullptr, false);
  out["state"] = word_of(state_of(run));
  out["command"] = run.command;
  if (run.live) {
    out.erase("reason");
    out["lane_state"] = word_of(run.live->state);
    out["pid"] = run.live->is_here ? json(run.live->supervisor.pid) : json(nullptr);
    if (run.live->has_started()) {
      out["memory_kb"] = memory_now_kb(run);
    }
  }
  return out;
}

std::string json_text_of(const RunView& run) {
  if (run.live) {
    return json_line(to_json(run));
  }
  std::string text = journal::to_line(run.record, journal::Context::LeftOut);
  text.erase(text.rfind('}'));
  text.append(R"(,"state":")").append(word_of(state_of(run))).append(R"(","command":")");
  sys::append_escaped(text, run.command, std::string::npos);
  text.append("\"}");
  return harmless_json(text);
}

FoundRun find_run(const LanesHere& lanes, std::string_view id) {
  FoundRun found;
  if (!may_begin_an_id(id)) {
    return found;
  }
  for (RunView& run : live_views(lanes)) {
    if (run.record.id.starts_with(id)) {
      found.candidates.push_back(run.record.id);
      found.run = std::move(run);
    }
  }
  if (id.size() == kIdLength) {
    if (!found.run) {
      auto record = journal::find(lanes.project.state_dir, id);
      if (!record && has_just_ended(lanes, id)) {
        record = record_of_ended(lanes, std::string{id}, std::nullopt);
      }
      if (record) {
        found.run = view_of(std::move(*record));
      }
    }
    found.candidates.clear();
    return found;
  }
  for (journal::Record& record : records_of(lanes.project.state_dir, id)) {
    if (std::ranges::find(found.candidates, record.id) == found.candidates.end()) {
      found.candidates.push_back(record.id);
      found.run = view_of(std::move(record));
    }
  }
  if (found.candidates.size() > 1) {
    found.run.reset();
  } else {
    found.candidates.clear();
  }
  return found;
}

std::optional<RunView> find_run_or_say(const LanesHere& lanes, std::string_view id) {
  if (lanes.unreadable) {
    say_always(lanes.unreadable->what());
  }
  FoundRun found = find_run(lanes, id);
  if (found.run) {
    return std::move(found.run);
  }
  const std::string name = printable(id, 60);
  if (found.candidates.empty()) {
    say_always("no run " + name + " here (see `onelane runs`)");
    return std::nullopt;
  }
  std::string list;
  for (const std::string& candidate : found.candidates) {
    list += (list.empty() ? "" : ", ") + printable(candidate, 60);
  }
  say_always("several runs begin with " + name + ": " + list +
             (found.candidates.size() >= kMostCandidates ? " …" : ""));
  return std::nullopt;
}

}  // namespace onelane::multicall
