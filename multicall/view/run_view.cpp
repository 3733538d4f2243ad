#include "multicall/view/run_view.hpp"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/sys/text.hpp"
#include "multicall/context/caller.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/words.hpp"
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
  return name == nullptr ? "signal " + std::to_string(number) : "SIG" + std::string{name};
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
  if (is_batch(record)) {
    const std::size_t jobs = record.jobs.size();
    command += " (" + std::to_string(jobs) + (jobs == 1 ? " job)" : " jobs)");
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
  return record.code == 0 ? "ok" : record.code ? "exit " + std::to_string(*record.code) : "exited";
}

std::string ending_of(const Record& record) {
  const std::string word{journal::word_of(record.reason)};
  const std::string exit = record.code ? "exit " + std::to_string(*record.code) : "";
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

}  // namespace onelane::multicall
