#include "multicall/shim/clear_away.hpp"

#include <algorithm>
#include <cstring>

#include "core/guard/cgroup.hpp"
#include "core/journal/journal.hpp"
#include "core/process/ending.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/keep.hpp"
#include "multicall/context/lane_call.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/shim/notice.hpp"
#include "multicall/shim/pause.hpp"
#include "multicall/shim/record.hpp"
#include "multicall/shim/turn.hpp"
#include "multicall/shim/wait_turn.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{2};
constexpr milliseconds kLongestPause{1'000};

/// Members of the run's control group, if it had one: some cannot be recognised by environment.
std::vector<sys::ProcessId> grouped(const std::string& run_id) {
  std::vector<sys::ProcessId> out;
  const auto group = guard::Cgroup::find(run_id);
  for (const pid_t pid : group ? group->members() : std::vector<pid_t>{}) {
    if (const auto stat = sys::read_stat(pid)) {
      out.push_back(stat->id);
    }
  }
  return out;
}

/// Clears away after one run whose supervisor and guardian were killed.
class Clearing {
 public:
  Clearing(lane::Ticket& ticket, const Plan& plan, const process::Signals& signals,
           const LanePlace& place)
      : ticket_{ticket}, plan_{plan}, signals_{signals}, place_{place} {}

  /// Why the call gives up, or nothing if it may go on.
  std::optional<std::string> run(const lane::LastRun& last) {
    process::Ended ended;
    std::vector<process::KeptProcess> kept;
    const bool is_here = last.pid_namespace == sys::pid_namespace();
    if (is_here) {
      ended = end_members_of(last, kept);
      if (ended.signalled > 0) {
        say("the last run in this lane was killed; ended " + std::to_string(ended.signalled) +
            " of its processes");
      }
    }
    write_down_kept(last, kept);
    write_down_crash(last, ended, kept, is_here);
    if (auto why = wait_for_background_of(last)) {
      ticket_.leave();
      return why;
    }
    if (begin() == lane::Begun::Cancelled) {
      ticket_.leave();
      return "cancelled while waiting";
    }
    return std::nullopt;
  }

 private:
  void leave_by(int signal) const {
    if (signal != 0) {
      ticket_.leave(leaving_by(signal));
      process::die_of(signal);
    }
  }

  process::Ended end_members_of(const lane::LastRun& last,
                                std::vector<process::KeptProcess>& kept) const {
    int signal = 0;
    process::RunTraits traits;
    std::memcpy(static_cast<void*>(&traits), last.context.data(), sizeof traits);
    traits.was_cut_short = 1;
    process::Search search;
    search.run_id = lane::view(last.run_id);
    search.known = {sys::self_id()};
    search.uid = last.uid;
    search.rules.is_onelane = &is_onelane_process;
    search.published = grouped(search.run_id);
    process::Ending ending;
    ending.grace = plan_.settings.kill_timeout.value;
    const process::KeepList keep = keep_list_of(plan_.settings);
    ending.members = [&] { return process::find_members(search, traits, keep); };
    ending.wait = [&](milliseconds limit) {
      signal = ending_signal_within(signals_, limit);
      return signal == 0;
    };
    process::Ended ended = process::end_members(ending);
    leave_by(signal);
    kept = process::find_kept(search, traits, keep);
    return ended;
  }

  void write_down_kept(const lane::LastRun& last,
                       const std::vector<process::KeptProcess>& kept) const {
    std::vector<lane::Kept> records;
    add_kept(records, kept, std::string{lane::view(last.run_id)});
    ticket_.write_down(records);
  }

  /// Does nothing if the guardian had written it before it died.
  void write_down_crash(const lane::LastRun& last, const process::Ended& ended,
                        const std::vector<process::KeptProcess>& kept, bool is_here) const {
    const std::string id{lane::view(last.run_id)};
    const auto written = journal::find(plan_.project.state_dir, id);
    if (written && (written->attempt == 0 || written->reason == journal::Reason::Crashed)) {
      return;
    }
    journal::Record record;
    record.attempt = written ? written->attempt + 1 : 0;  // the last line is of the attempt before
    record.id = id;
    record.project = plan_.project.root;
    record.lane = plan_.lane_dir;
    record.uid = last.uid;
    record.user = sys::user_name(last.uid);
    if (last.started_boottime > 0) {  // 0 in a file of an earlier version
      const std::chrono::nanoseconds since{last.started_boottime};
      record.started_wall_ms =
          sys::wall_milliseconds() -
          std::chrono::duration_cast<milliseconds>(sys::boot_time() - since).count();
    }
    // It is not known when the run ended, so the record has neither an end nor a duration.
    record.reason = journal::Reason::Crashed;
    record.context = last.context;
    record.ended_leftovers = ended.signalled - std::min(ended.signalled, ended.left.size());
    for (const sys::ProcessStat& left : ended.left) {
      record.survivors.push_back({left.id.pid, left.id.start, left.name.data()});
    }
    add_kept(record, kept);
    record.empty = is_here && ended.left.empty();
    append_record(place_, record);
  }

  /// Waits for lane calls that `last` has left in the background. They are not stragglers: they
  /// were left on purpose and end by themselves, and two lane calls must not overlap. Returns why
  /// the wait was given up, after QUEUE_TIMEOUT or with `--no-wait`.
  [[nodiscard]] std::optional<std::string> wait_for_background_of(const lane::LastRun& last) const {
    const std::string id{lane::view(last.run_id)};
    const auto is_lane_call = lane_call_test(plan_.lane_dir);
    const auto limit = plan_.settings.queue_timeout.value;
    const auto since = sys::monotonic_time();
    for (milliseconds wait = kFirstPause;; wait = std::min(wait * 2, kLongestPause)) {
      const auto calls = last.pid_namespace == sys::pid_namespace()
                             ? process::find_lane_calls(id, is_lane_call)
                             : std::vector<sys::ProcessId>{};
      if (calls.empty()) {
        return std::nullopt;
      }
      const pid_t pid = calls.front().pid;
      const std::string found = "run " + id + " was killed and has left " +
                                sys::command_line(pid, 80) + " (pid " + std::to_string(pid) +
                                ") in the background";
      if (plan_.no_wait || (limit.count() > 0 && sys::monotonic_time() - since >= limit)) {
        return found + "; not waiting for it any longer";
      }
      if (wait == kFirstPause) {
        say(found + "; waiting for it");
      }
      leave_by(multicall::pause(signals_, wait));
    }
  }

  /// Makes this ticket the holder; waits as long as the gate is held.
  lane::Begun begin() const {
    lane::Begun begun = ticket_.begin();
    if (begun == lane::Begun::GateHeld) {
      say("waiting for lane '" + plan_.project.name + "' · " + gate_words(ticket_));
    }
    while (begun == lane::Begun::GateHeld) {
      leave_by(multicall::pause(signals_, milliseconds{0}));
      begun = ticket_.begin();
    }
    return begun;
  }

  lane::Ticket& ticket_;
  const Plan& plan_;
  const process::Signals& signals_;
  const LanePlace& place_;
};

}  // namespace

std::optional<std::string> clear_away_last_run(lane::Ticket& ticket, const Plan& plan,
                                               const process::Signals& signals,
                                               const LanePlace& place) {
  while (ticket.unsettled()) {
    if (auto why = Clearing{ticket, plan, signals, place}.run(lane::LastRun{*ticket.unsettled()})) {
      return why;
    }
  }
  return std::nullopt;
}

}  // namespace onelane::multicall
