#include "multicall/steer/everything.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/queue/queue_view.hpp"
#include "multicall/steer/end_run.hpp"
#include "multicall/term/confirm.hpp"
#include "multicall/term/print.hpp"
#include "multicall/term/say.hpp"
#include "multicall/term/words.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/lane_view.hpp"
#include "multicall/view/orphan_rows.hpp"

namespace onelane::multicall {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int kMostRounds = 5;  ///< Each round also ends calls that came during the one before.
constexpr milliseconds kUntilTheyLeave{5'000};
constexpr milliseconds kBetweenLooks{20};

std::string words_for(const process::Orphan& process) {
  return fmt::format("{} (pid {}, run {})", sys::command_line(process.stat.id.pid, 80),
                     process.stat.id.pid, process.run_id);
}

json row_for(const process::Orphan& process) {
  return {{"pid", process.stat.id.pid},
          {"command", sys::command_line(process.stat.id.pid, 80)},
          {"run", process.run_id},
          {"why", word_of(process.sorted)}};
}

/// One `onelane stop --everything`.
class Everything {
 public:
  Everything(const LanesHere& lanes, bool as_json)
      : lanes_{lanes}, finder_{lanes}, store_{lanes.project.state_dir}, as_json_{as_json} {}

  int run(bool yes) {
    Remainder found = look();
    if (found.is_empty()) {
      return report(found, "nothing of this project lives");
    }
    if (const auto code = yes ? std::nullopt : ask(found)) {
      return *code;
    }
    for (int round = 0; round < kMostRounds && has_new(found); ++round) {
      end(found);
      found = look();
    }
    return report(found, "nothing of this project is left");
  }

 private:
  /// With a new finder each time: a finder remembers what it knows of a run, which may change.
  [[nodiscard]] Remainder look() const { return RemainderFinder{lanes_}.look(); }

  /// True if there is something that has not been told to end yet.
  bool has_new(const Remainder& found) {
    bool is_new = false;
    const auto note = [&](const std::string& name) {
      is_new = tried_.insert(name).second || is_new;
    };
    if (found.queue_runs) {
      note("queue");
    }
    for (const Found& ticket : found.waiting) {
      note("waits " + ticket.id());
    }
    for (const Found& ticket : found.started) {
      note("runs " + ticket.id());
    }
    for (const process::Orphan& orphan : found.processes.orphans) {
      note(fmt::format("{} {}", orphan.stat.id.pid, orphan.stat.id.start));
    }
    return is_new;
  }

  [[nodiscard]] std::optional<int> ask(const Remainder& found) const {
    std::vector<std::string> parts;
    if (!found.started.empty()) {
      parts.push_back("end " + counted(found.started.size(), "run", "runs"));
    }
    if (!found.waiting.empty()) {
      parts.push_back(fmt::format("cancel {} in the queue", found.waiting.size()));
    }
    if (found.queue_runs) {
      parts.emplace_back("stop the queue start");
    }
    if (!found.processes.orphans.empty()) {
      parts.push_back("end " + counted(found.processes.orphans.size(), "process", "processes") +
                      " that runs have left");
    }
    std::string question;
    for (const std::string& part : parts) {
      question += (question.empty() ? "" : ", ") + part;
    }
    if (parts.empty()) {
      return std::nullopt;  // only what is spared: report() names it
    }
    for (const Found& ticket : found.started) {
      say_always(words_of(ticket));
    }
    for (const process::Orphan& orphan : found.processes.orphans) {
      say_always(words_for(orphan));
    }
    return refusal_of(question, "add --yes to " + question);
  }

  /// Waiting calls first, so that no run starts meanwhile; the next round finds one that does.
  void end(const Remainder& found) {
    if (found.queue_runs) {
      stop_queue();
    }
    for (const Found& ticket : found.waiting) {
      cancelled_ += ticket.waits() && cancel_ticket(ticket) ? 1U : 0U;
    }
    for (const Found& ticket : found.started) {
      end_started(ticket);
    }
    end_processes();
    wait_for_leavers();
  }

  void stop_queue() {
    try {
      make_queue_directory(lanes_);
      store_.change([](queue::Queue& queue) { queue.is_stopping = queue.starter.has_value(); });
      has_stopped_queue_ = true;
    } catch (const sys::SystemError& failure) {
      say_always(failure.what());
    }
  }

  void end_started(const Found& ticket) {
    const std::string name = name_of(ticket);
    const RunEnd result = end_run(*ticket.table, ticket.ticket, lanes_.settings.kill_timeout.value);
    if (!result.ended) {
      say_always(name + " has not ended: " + result.why);
      return;
    }
    tell("ended " + name);
    ended_.push_back(ticket.id());
  }

  void end_processes() {
    const RemainderFinder finder{lanes_};
    process::OrphanWatch watch{finder.rules()};
    const process::OrphanScan scan = watch.scan();
    if (scan.orphans.empty()) {
      return;
    }
    std::vector<std::string> runs;
    json rows = json::array();
    std::vector<std::string> lines;
    for (const process::Orphan& orphan : scan.orphans) {
      runs.push_back(orphan.run_id);
      rows.push_back(row_for(orphan));
      lines.push_back("ended " + words_for(orphan));
    }
    const auto left = process::end_orphans(watch, runs, lanes_.settings.kill_timeout.value).left;
    for (std::size_t i = 0; i < scan.orphans.size(); ++i) {
      if (std::ranges::find(left, scan.orphans[i].stat.id, &sys::ProcessStat::id) == left.end()) {
        tell(lines[i]);
        processes_.push_back(rows[i]);
      }
    }
  }

  /// Waits until cancelled calls and the process that runs the queue have ended by themselves.
  void wait_for_leavers() const {
    const auto until = sys::monotonic_time() + lanes_.settings.kill_timeout.value + kUntilTheyLeave;
    const auto has_leaver = [this] {
      return (has_stopped_queue_ && store_.is_started()) ||
             std::ranges::any_of(find_tickets(lanes_), [this](const Found& found) {
               return found.state() == lane::State::Cancelled && finder_.is_ours(found);
             });
    };
    while (has_leaver() && sys::monotonic_time() < until) {
      const timespec nap{0, std::chrono::nanoseconds{kBetweenLooks}.count()};
      ::nanosleep(&nap, nullptr);
    }
  }

  void tell(const std::string& line) const {
    if (!as_json_) {
      print(line + "\n");
    }
  }

  /// Reports what the last look has found; returns the exit code.
  [[nodiscard]] int report(const Remainder& left, const std::string& empty_words) const {
    if (cancelled_ > 0) {
      tell(fmt::format("cancelled {} in the queue", cancelled_));
    }
    if (has_stopped_queue_) {
      tell("stopped the queue start");
    }
    json running = json::array();
    json kept = json::array();
    json still_there = json::array();
    for (const auto* const tickets : {&left.started, &left.waiting}) {
      for (const Found& ticket : *tickets) {
        say_always("still there: " + words_of(ticket));
        running.push_back(ticket.id());
      }
    }
    for (const process::Orphan& process : left.processes.kept) {
      say_always("left running: " + words_for(process) +
                 (process.sorted == process::Leftover::Elsewhere ? ", on a terminal of its own"
                                                                 : ", above this call"));
      kept.push_back(row_for(process));
    }
    for (const lane::Kept& process : left.unproven) {
      const std::string command = sys::command_line(process.pid, 80);
      say_always(
          fmt::format("left running: {} (pid {}): only a record that others can write says "
                      "that it is part of run {}",
                      command, process.pid, lane::view(process.run_id)));
      kept.push_back({{"pid", process.pid},
                      {"command", command},
                      {"run", lane::view(process.run_id)},
                      {"why", "recorded"}});
    }
    for (const process::Orphan& process : left.processes.orphans) {
      say_always("still there: " + words_for(process));
      still_there.push_back(process.stat.id.pid);
    }
    if (left.queue_runs) {
      say_always("the queue start is still running: see `onelane queue status`");
    }
    if (left.has_unknown_holder) {
      say_always(kHolderUnknown);
    }
    if (left.is_empty()) {
      tell(empty_words);
    }
    if (as_json_) {
      print_json({{"schema", 1},
                  {"ended", ended_},
                  {"cancelled", cancelled_},
                  {"queue_stopped", has_stopped_queue_},
                  {"processes", processes_},
                  {"running", running},
                  {"kept", kept},
                  {"left", still_there},
                  {"empty", left.is_empty()}});
    }
    return left.is_empty() ? 0 : 1;
  }

  const LanesHere& lanes_;
  const RemainderFinder finder_;
  queue::Store store_;
  const bool as_json_;
  bool has_stopped_queue_ = false;
  std::set<std::string> tried_;
  std::size_t cancelled_ = 0;
  json ended_ = json::array();
  json processes_ = json::array();
};

}  // namespace

int stop_everything(const LanesHere& lanes, bool yes, bool as_json) {
  return Everything{lanes, as_json}.run(yes);
}

RemainderFinder::RemainderFinder(const LanesHere& lanes)
    : lanes_{lanes}, book_{run_book(lanes)}, store_{lanes.project.state_dir} {
  const auto own = project_here();
  is_shared_ = !own || own->state_dir != lanes.project.state_dir;
}

bool RemainderFinder::is_ours(const Found& found) const {
  if (!is_shared_) {
    return true;
  }
  const auto detail = found.table->detail(found.ticket.slot, found.ticket.entry.sequence);
  const auto project =
      detail ? project::find({detail->directory.data(), std::nullopt}) : std::nullopt;
  return project && project->root == lanes_.project.root;
}

process::OrphanRules RemainderFinder::rules() const {
  process::OrphanRules rules = orphan_rules(&lanes_, book_);
  rules.occasion = process::Occasion::Everything;
  if (is_shared_) {
    rules.is_wanted = [this](std::string_view id) {
      return book_.project(id) == lanes_.project.root;
    };
  }
  return rules;
}

Remainder RemainderFinder::look() const {
  Remainder out;
  out.queue_runs = !is_shared_ && store_.is_started();
  out.has_unknown_holder = std::ranges::any_of(lanes_.tables, &is_holder_unknown);
  for (const Found& found : find_tickets(lanes_)) {
    if (is_ours(found)) {
      (found.has_started() ? out.started : out.waiting).push_back(found);
    }
  }
  const process::OrphanRules rules = this->rules();
  out.processes = process::OrphanWatch{rules}.scan();
  for (const lane::Kept& kept : kept_by(lanes_)) {
    const auto is_it = [&](const process::Orphan& o) { return o.stat.id.pid == kept.pid; };
    if (rules.is_wanted(lane::view(kept.run_id)) &&
        std::ranges::none_of(out.processes.orphans, is_it) &&
        std::ranges::none_of(out.processes.kept, is_it)) {
      out.unproven.push_back(kept);
    }
  }
  return out;
}

}  // namespace onelane::multicall
