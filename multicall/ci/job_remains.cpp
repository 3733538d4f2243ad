#include "multicall/ci/job_remains.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/process/ending.hpp"
#include "core/queue/store.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/queue/queue_view.hpp"

namespace onelane::multicall::ci {
namespace {

using std::chrono::milliseconds;

/// Variables by which CI systems recognise the processes of a job, to end them after it.
constexpr std::array kMarks{"RUNNER_TRACKING_ID", "CI_JOB_ID", "JENKINS_NODE_COOKIE"};

/// The calling process and its ancestors.
std::set<pid_t> own_line() {
  std::set<pid_t> out{::getpid()};
  for (const sys::ProcessStat& stat : sys::ancestry_of(::getpid()).chain) {
    out.insert(stat.id.pid);
  }
  return out;
}

/// The processes to end: those that were found, all below them, and others of the same runs that
/// can be found only once their parent has ended.
class Victims {
 public:
  Victims(process::OrphanWatch& watch, const RunBook& book, Daemons daemons)
      : watch_{watch}, book_{book}, daemons_{daemons} {}

  void add(const OrphanRow& row) {
    found_.try_emplace({row.id.pid, row.id.start}, row.run_id);
    runs_.insert(row.run_id);
  }
  [[nodiscard]] bool may_end(pid_t pid) const { return !own_.contains(pid); }

  std::vector<sys::ProcessStat> living() {
    look_again();
    std::vector<sys::ProcessStat> out;
    process::SignalJudge judge{{&is_onelane_process, {}, {}}};
    for (const auto& [key, run_id] : std::exchange(found_, {})) {
      process::Target target;
      target.as = process::Target::As::Named;
      target.id = target.root = {key.first, key.second};
      target.boot = static_cast<std::uint32_t>(sys::boot_id());
      target.run_id = run_id;
      target.uid = owner_of(run_id);
      add(judge, target, out);
      target.as = process::Target::As::Below;
      for (const sys::ProcessStat& below : sys::descendants_of(target.root.pid)) {
        target.id = below.id;
        add(judge, target, out);
      }
    }
    return out;
  }

 private:
  using Key = std::pair<pid_t, std::uint64_t>;

  void add(process::SignalJudge& judge, const process::Target& target,
           std::vector<sys::ProcessStat>& out) {
    const auto stat = sys::read_stat(target.id.pid);
    if (stat && judge.judge(target) == process::Spared::No &&
        found_.try_emplace({target.id.pid, target.id.start}, target.run_id).second) {
      out.push_back(*stat);
    }
  }

  /// A run of root may start processes as other users.
  [[nodiscard]] std::optional<uid_t> owner_of(const std::string& run_id) const {
    const auto uid = book_.owner(run_id);
    return uid == uid_t{0} ? std::nullopt : uid;
  }

  void look_again() {
    const process::OrphanScan scan = watch_.scan();
    for (const process::Orphan& orphan : scan.orphans) {
      if (runs_.contains(orphan.run_id)) {
        found_.try_emplace({orphan.stat.id.pid, orphan.stat.id.start}, orphan.run_id);
      }
    }
    for (const process::Orphan& kept : scan.kept) {
      if (daemons_ == Daemons::End && runs_.contains(kept.run_id) &&
          kept.sorted != process::Leftover::Elsewhere && may_end(kept.stat.id.pid) &&
          is_of_this_job(kept.stat.id.pid)) {
        found_.try_emplace({kept.stat.id.pid, kept.stat.id.start}, kept.run_id);
      }
    }
  }

  process::OrphanWatch& watch_;
  const RunBook& book_;
  const Daemons daemons_;
  const std::set<pid_t> own_ = own_line();
  std::map<Key, std::string> found_;  ///< Each process, with the id of its run.
  std::set<std::string> runs_;
};

bool is_set(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

/// Sorts the rows into those that are to end and those that are kept.
Cleared sort(OrphanRows rows, const Victims& victims, Daemons daemons) {
  Cleared out;
  out.ended = std::move(rows.orphans);
  for (OrphanRow& row : rows.kept) {
    const bool ends =
        daemons == Daemons::End && victims.may_end(row.id.pid) && is_of_this_job(row.id.pid);
    (ends ? out.ended : out.kept).push_back(std::move(row));
  }
  return out;
}

process::Ended end(Victims& victims, milliseconds grace) {
  process::Ending ending;
  ending.grace = grace;
  ending.members = [&] { return victims.living(); };
  ending.wait = [](milliseconds pause) {
    const timespec nap{pause.count() / 1000, (pause.count() % 1000) * 1'000'000};
    ::nanosleep(&nap, nullptr);
    return true;
  };
  return process::end_members(ending);
}

}  // namespace

bool is_of_this_job(pid_t pid) {
  for (const char* name : kMarks) {
    const char* ours = std::getenv(name);
    if (ours != nullptr && *ours != '\0') {
      return sys::initial_environment(pid, name) == std::string{ours};
    }
  }
  return true;
}

bool is_in_job() {
  const char* const ci = std::getenv("CI");
  return (is_set("CI") && std::string_view{ci} != "false") || is_set("ONELANE_JOB_STARTED") ||
         std::ranges::any_of(kMarks, &is_set);
}

Cleared clear_job(const LanesHere& lanes, Daemons daemons) {
  const RunBook book = run_book(lanes);
  process::OrphanWatch watch{orphan_rules(&lanes, book)};
  Victims victims{watch, book, daemons};
  Cleared out = sort(orphan_rows(watch.scan(), &lanes, book), victims, daemons);
  if (out.ended.empty()) {
    return out;
  }
  const std::vector<OrphanRow> doomed = std::exchange(out.ended, {});
  std::ranges::for_each(doomed, [&](const OrphanRow& row) { victims.add(row); });
  (void)end(victims, lanes.settings.kill_timeout.value);
  for (const OrphanRow& row : doomed) {
    const auto stat = sys::read_stat(row.id.pid);
    const bool is_left = stat && stat->id == row.id && !stat->has_ended();
    (is_left ? out.left : out.ended).push_back(row);
  }
  return out;
}

Cleared look_at_job(const LanesHere& lanes, Daemons daemons) {
  const RunBook book = run_book(lanes);
  process::OrphanWatch watch{orphan_rules(&lanes, book)};
  const Victims victims{watch, book, daemons};
  return sort(orphan_rows(watch.scan(), &lanes, book), victims, daemons);
}

JobRuns job_runs(const LanesHere& lanes) {
  const std::set<pid_t> own = own_line();
  JobRuns out;
  for (Found& found : find_tickets(lanes)) {
    const pid_t supervisor = found.ticket.entry.pid;
    if (found.state() != lane::State::Service || own.contains(supervisor)) {
      out.others.push_back(std::move(found));
    } else {
      (is_of_this_job(supervisor) ? out.services : out.foreign).push_back(std::move(found));
    }
  }
  return out;
}

std::vector<std::string> unstarted_entries(const LanesHere& lanes) {
  std::vector<std::string> out;
  for (const queue::Entry& entry : queue::unfinished(lanes.project.state_dir)) {
    std::string words = command_of(entry);
    if (entry.state != queue::State::Queued) {
      words += " (" + std::string{queue::word_of(entry.state)} + ")";
    }
    out.push_back(std::move(words));
  }
  return out;
}

}  // namespace onelane::multicall::ci
