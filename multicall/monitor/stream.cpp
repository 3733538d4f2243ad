#include "multicall/monitor/stream.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>

#include "core/journal/journal.hpp"
#include "core/process/orphans.hpp"
#include "core/process/signals.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/monitor/look.hpp"
#include "multicall/term/print.hpp"
#include "multicall/view/overview.hpp"

namespace onelane::multicall::monitor {
namespace {

using nlohmann::json;

constexpr int kForEver = -1;
constexpr int kByTheClock = 2'000;  ///< ms; when no event would wake us.
constexpr int kRecordIsDue = 200;   ///< ms; a run is gone and its record has yet to come.

class Stream {
 public:
  explicit Stream(const LanesHere& lanes)
      : lanes_{lanes},
        wakes_{lanes},
        usual_{lanes.project.state_dir},
        journal_{lanes.project.state_dir},
        logs_{log_directory(lanes.project, lanes.settings)} {}

  void begin() {
    const auto looks = look();
    write(story_.begin(lanes_, looks, sys::wall_milliseconds()));
    for (const std::string& run : story_.running()) {
      logs_.skip(run);
    }
  }

  void run() {
    while (!is_over_) {
      wait();
      if (is_over_) {
        return;
      }
      wakes_.drain();
      tell();
    }
  }

 private:
  std::vector<LaneLook> look() {
    auto looks = look_at_lanes(lanes_, usual_.get());
    wakes_.follow(looks);
    return looks;
  }

  // The lanes first: a record that comes between the two reads is told with the next look at the
  // latest, and never before its run was seen to start.
  void tell() {
    const auto looks = look();
    const auto events = story_.see(looks, sys::wall_milliseconds());
    for (const std::string& run : story_.running()) {
      tell_warnings(run);
    }
    for (const Event& event : events) {
      write(event);
      if (event.at("event") == "finished") {
        tell_orphans(event.at("id"));  // no record: its writer may be dead
        logs_.forget(event.at("id"));
      }
    }
    for (const journal::Record& record : journal_.read()) {
      usual_.journal_has_changed();
      tell_warnings(record.id);
      logs_.forget(record.id);
      for (const Event& event : story_.see(record)) {
        write(event);
      }
    }
  }

  void tell_warnings(const std::string& run) {
    for (const std::string& text : logs_.read(run)) {
      write({{"schema", 1},
             {"event", "warned"},
             {"at_wall_ms", sys::wall_milliseconds()},
             {"id", run},
             {"text", text}});
    }
  }

  void tell_orphans(const std::string& run) {
    const RunBook book = run_book(lanes_);
    process::OrphanRules rules = orphan_rules(&lanes_, book);
    rules.is_wanted = [&run](std::string_view id) { return id == run; };
    for (const process::Orphan& orphan : process::OrphanWatch{std::move(rules)}.scan().orphans) {
      write({{"schema", 1},
             {"event", "orphan"},
             {"at_wall_ms", sys::wall_milliseconds()},
             {"id", run},
             {"pid", orphan.stat.id.pid},
             {"command", sys::command_line(orphan.stat.id.pid)}});
    }
  }

  void wait() {
    // No POLLIN: only the reader's leaving matters.
    std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}, {1, 0, 0}};
    for (const int fd : wakes_.fds()) {
      polled.push_back({fd, POLLIN, 0});
    }
    const int limit = story_.expects_records()   ? kRecordIsDue
                      : wakes_.sees_everything() ? kForEver
                                                 : kByTheClock;
    (void)::poll(polled.data(), polled.size(), limit);
    process::Signals::Arrived arrived;
    while (signals_.next_noticed(arrived)) {
      take(arrived.signal);
    }
    is_over_ = is_over_ || (polled[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
  }

  void take(int signal) {
    switch (signal) {
      case SIGTSTP:
      case SIGTTIN:
      case SIGTTOU:
        (void)process::stop_self(signal);
        break;
      case SIGINT:
      case SIGTERM:
      case SIGHUP:
      case SIGQUIT:
      case SIGPIPE:
        is_over_ = true;
        break;
      default:
        break;
    }
  }

  void write(const Event& event) {
    const auto line = json_line(event) + "\n";
    if (!sys::write_all(1, line)) {
      if (errno != EPIPE) {
        throw OutputError{};
      }
      is_over_ = true;
    }
  }

  const LanesHere& lanes_;
  process::Signals signals_;
  Wakes wakes_;
  FreshUsual usual_;
  Story story_;
  JournalTail journal_;
  LogTails logs_;
  bool is_over_ = false;
};

using journal::Reason;

/// A run's line in the journal follows its end within milliseconds. A call that was seen waiting
/// and is gone may have run in between, or its entry may just have been in the middle of a write.
constexpr std::int64_t kRecordTakes = 3'000;
constexpr std::int64_t kLeavingTakes = 1'500;

bool was_killed(Reason reason) {
  return reason != Reason::Exited && reason != Reason::Signalled && reason != Reason::NotStarted;
}

json lane_json(const LaneLook& lane) {
  json out = json_of(lane.view);
  out["lane"] = lane.name;
  out["directory"] = lane.directory;
  return out;
}

void add_outcome(Event& event, const journal::Record& record) {
  event["reason"] = journal::word_of(record.reason);
  event["code"] = record.code ? json(*record.code) : json(nullptr);
  event["signal"] = record.signal == 0 ? json(nullptr) : json(record.signal);
  event["waited_ms"] = record.waited_ms;
  event["duration_ms"] = record.duration_ms;
  event["cpu_ms"] = record.cpu_ms;
  event["peak_tree_kb"] = record.peak_tree_kb;
  event["peak_process_kb"] = record.peak_process_kb;
  event["peak_processes"] = record.peak_processes;
  event["warnings"] = record.warnings;
  event["ended_leftovers"] = record.ended_leftovers;
  const json card = json::parse(record.card, nullptr, false);
  if (card.is_object()) {
    event["card"] = card;
  }
}

constexpr std::string_view kWarning = " WARN ";

}  // namespace

int run_stream(const LanesHere& lanes, Until until) {
  Stream stream{lanes};
  stream.begin();
  if (until == Until::Told) {
    stream.run();
  }
  return 0;
}

Event& Story::tell(const char* event, std::int64_t at_ms, const std::string& id) {
  told_.push_back({{"schema", 1}, {"event", event}, {"at_wall_ms", at_ms}, {"id", id}});
  return told_.back();
}

Event Story::begin(const LanesHere& here, const std::vector<LaneLook>& lanes, std::int64_t now_ms) {
  (void)see(lanes, now_ms);
  json list = json::array();
  for (const LaneLook& lane : lanes) {
    list.push_back(lane_json(lane));
  }
  return {{"schema", 1},
          {"event", "snapshot"},
          {"at_wall_ms", now_ms},
          {"project", here.project.root},
          {"lanes", list}};
}

void Story::see(const LaneLook& lane, const TicketView& ticket, std::size_t position) {
  const auto [it, is_new] = known_.try_emplace(ticket.id);
  Known& known = it->second;
  known.is_there = true;
  if (known.stage == Stage::Told) {
    return;
  }
  if (is_new) {
    known.lane = lane.name;
    known.command = ticket.command;
    known.position = position;
    Event& event = tell("enqueued", now_, ticket.id);
    event.update(json_of(ticket));
    event["lane"] = lane.name;
    event["position"] = position;
  } else if (position != known.position && position != 0) {
    Event& event = tell("moved", now_, ticket.id);
    event["lane"] = lane.name;
    event["position"] = position;
    event["from"] = known.position;
    event["priority"] = ticket.priority;
    known.position = position;
  }
  const bool is_granted = ticket.state == lane::State::Granted || lane::has_lane(ticket.state);
  if (known.stage == Stage::Queued && is_granted) {
    known.stage = Stage::Granted;
    tell("granted", now_, ticket.id)["lane"] = lane.name;
  }
  if (known.stage < Stage::Started && ticket.has_started()) {
    known.stage = Stage::Started;
    Event& event = tell("started", now_, ticket.id);
    event["lane"] = lane.name;
    event["command"] = ticket.command;
    event["class"] = ticket.state == lane::State::Service ? "service" : "lane";
    if (!ticket.pipeline_of.empty()) {
      event["pipeline_of"] = ticket.pipeline_of;
    }
    event["pid"] = ticket.is_here ? json(ticket.supervisor.pid) : json(nullptr);
    event["waited_ms"] =
        std::chrono::duration_cast<std::chrono::milliseconds>(ticket.waited).count();
  }
}

void Story::see_gone() {
  for (auto it = known_.begin(); it != known_.end();) {
    Known& known = it->second;
    if (known.is_there) {
      known.gone_since = 0;
      ++it;
      continue;
    }
    if (known.gone_since == 0) {
      known.gone_since = now_;
    }
    const bool has_started = known.stage == Stage::Started;
    const std::int64_t gone = now_ - known.gone_since;
    if (known.stage != Stage::Told && gone < (has_started ? kRecordTakes : kLeavingTakes)) {
      ++it;
      continue;
    }
    if (known.stage != Stage::Told) {
      Event& event = tell(has_started ? "finished" : "left", known.gone_since, it->first);
      event["lane"] = known.lane;
      event["command"] = known.command;
      if (has_started) {
        event["reason"] = nullptr;
      }
    }
    it = known_.erase(it);
  }
}

void Story::see_hold(const LaneLook& lane) {
  const bool before = std::exchange(holds_[lane.name], lane.view.is_on_hold);
  if (before != lane.view.is_on_hold) {
    told_.push_back({{"schema", 1},
                     {"event", lane.view.is_on_hold ? "held" : "released"},
                     {"at_wall_ms", now_},
                     {"lane", lane.name}});
  }
}

std::vector<Event> Story::see(const std::vector<LaneLook>& lanes, std::int64_t now_ms) {
  now_ = now_ms;
  for (auto& [id, known] : known_) {
    known.is_there = false;
  }
  for (const LaneLook& lane : lanes) {
    see_hold(lane);
    for (const TicketView& ticket : lane.view.services) {
      see(lane, ticket, 0);
    }
    if (lane.view.holder) {
      see(lane, *lane.view.holder, 0);
    }
    for (const TicketView& ticket : lane.view.beside) {
      see(lane, ticket, 0);
    }
    std::size_t position = 0;
    for (const TicketView& ticket : lane.view.queue) {
      see(lane, ticket, ++position);
    }
  }
  see_gone();
  return std::exchange(told_, {});
}

std::vector<Event> Story::see(const journal::Record& record) {
  const auto it = known_.find(record.id);
  const bool is_known = it != known_.end();
  if (is_known && it->second.stage == Stage::Told) {
    return {};
  }
  const std::string command = is_known ? it->second.command : journal::command_text(record);
  const auto tell_of = [&](const char* event, std::int64_t at_ms) -> Event& {
    Event& told = tell(event, at_ms, record.id);
    told["command"] = command;
    told["class"] = record.cls;
    return told;
  };
  const Stage stage = is_known ? it->second.stage : Stage::Queued;
  if (!is_known) {
    tell_of("enqueued", record.queued_wall_ms);
  }
  if (stage == Stage::Queued && record.cls != "service") {
    tell_of("granted", record.started_wall_ms);
  }
  if (stage < Stage::Started) {
    tell_of("started", record.started_wall_ms)["waited_ms"] = record.waited_ms;
  }
  // An end that was not recorded is dated to when it was found.
  const std::int64_t ended_ms = record.ended_wall_ms != 0 ? record.ended_wall_ms : now_;
  add_outcome(tell_of(was_killed(record.reason) ? "killed" : "finished", ended_ms), record);
  for (const journal::Process& survivor : record.survivors) {
    Event& event = tell("orphan", ended_ms, record.id);
    event["pid"] = survivor.pid;
    event["command"] = survivor.command;
  }
  if (is_known && it->second.is_there) {
    it->second.stage = Stage::Told;
  } else if (is_known) {
    known_.erase(it);
  }
  return std::exchange(told_, {});
}

bool Story::expects_records() const {
  return std::ranges::any_of(known_, [](const auto& entry) {
    return entry.second.stage != Stage::Told && !entry.second.is_there;
  });
}

std::vector<std::string> Story::running() const {
  std::vector<std::string> out;
  for (const auto& [id, known] : known_) {
    if (known.stage == Stage::Started) {
      out.push_back(id);
    }
  }
  return out;
}

JournalTail::JournalTail(std::string directory) : directory_{std::move(directory)} {
  journal::for_each(directory_, journal::Order::NewestFirst, [this](std::string_view line) {
    last_ = line;
    return false;
  });
}

std::vector<journal::Record> JournalTail::read() {
  std::vector<journal::Record> records;
  std::string newest;
  journal::for_each(directory_, journal::Order::NewestFirst, [&](std::string_view line) {
    if (line == last_) {
      return false;
    }
    if (newest.empty()) {
      newest = line;
    }
    if (auto record = journal::parse(line)) {
      records.push_back(std::move(*record));
    }
    return true;
  });
  if (!newest.empty()) {
    last_ = std::move(newest);
  }
  std::ranges::reverse(records);
  return records;
}

std::vector<std::string> LogTails::read(const std::string& run) {
  std::vector<std::string> out;
  for (const LogLine& line : tail_of(run).next()) {
    const std::string_view text{line.text};
    if (!line.time.empty() && text.starts_with(line.time) &&
        text.substr(line.time.size()).starts_with(kWarning)) {
      out.emplace_back(text.substr(line.time.size() + kWarning.size()));
    }
  }
  return out;
}

}  // namespace onelane::multicall::monitor
