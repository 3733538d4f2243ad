#include "multicall/shim/take_lane.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/guard/cgroup.hpp"
#include "core/journal/journal.hpp"
#include "core/lane/nesting.hpp"
#include "core/process/ending.hpp"
#include "core/project/state.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/users.hpp"
#include "multicall/context/caller.hpp"
#include "multicall/context/keep.hpp"
#include "multicall/context/lane_call.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/orphan_rules.hpp"
#include "multicall/job/ready.hpp"
#include "multicall/shim/attempt.hpp"
#include "multicall/shim/background_run.hpp"
#include "multicall/shim/held_gate.hpp"
#include "multicall/shim/record.hpp"
#include "multicall/shim/wait_turn.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

static_assert(sizeof(process::RunTraits) <= sizeof(lane::LastRun::context));

/// What is asked for, in one number: FNV-1a over the words of the call, where it is made and with
/// which priority. 0, which rejoins nothing, where it cannot be told.
std::uint32_t rejoin_key_of(const Call& call, const std::string& directory, int priority) {
  std::uint64_t hash = 14695981039346656037U;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    }
    hash *= 1099511628211U;  // as a NUL: where one word ends
  };
  for (const char* word : call.argv) {
    add(word);
  }
  add(directory);
  add(std::to_string(priority));
  return directory.empty() ? 0 : static_cast<std::uint32_t>(hash ^ hash >> 32U);
}

/// The steps of take_lane with what they share.
class Entrance {
 public:
  Entrance(const Plan& plan, const process::Signals& signals, const process::RunTraits& traits,
           LanePlace& place)
      : plan_{plan}, signals_{signals}, traits_{traits}, place_{place}, admission_{plan.settings} {}

  std::optional<int> enter() {
    if (!sys::proc_is_ours()) {
      throw sys::SystemError{ESRCH, "find this process in", "/proc"};
    }
    place_.state = project::open_state(plan_.project);
    place_.file_mode = project::file_mode(place_.state.get());
    for (int attempt = 0; attempt < 8; ++attempt) {
      make_lane_directory(plan_.project, place_.state.get(), plan_.lane_dir);
      place_.table.emplace(plan_.lane_dir, place_.file_mode);
      place_.ticket.emplace(*place_.table, info());
      if (plan_.limits_only || plan_.decision.cls == shims::Class::Service) {
        enlist_service(*place_.ticket, plan_);
        tell_queued();
        return std::nullopt;
      }
      const Turn turn = wait_turn(*place_.ticket, signals_, wait_options());
      switch (turn.end) {
        case Turn::End::Started:
          place_.start_notice = turn.why;
          return clear_away_last_run();
        case Turn::End::Signal:
          process::die_of(turn.signal);
        case Turn::End::GaveUp:
          say_always(turn.why);
          return kExitGaveUp;
        case Turn::End::Unqueued:
          say_always(turn.why + "; running without the lane" +
                     (plan_.bounded_wait ? "" : " (ON_DEADLOCK=run)"));
          place_.ticket.reset();
          return std::nullopt;
        case Turn::End::Nested:
          place_.ticket.reset();
          return std::nullopt;
        case Turn::End::Gone:
          place_.ticket.reset();
          let_removal_pass();
          break;  // replaced: try again; removed with its directory: opening fails above
      }
    }
    throw sys::SystemError{ESTALE, "use", plan_.project.state_dir};
  }

 private:
  /// Not before it can be found by that id.
  void tell_queued() const {
    if (plan_.queued) {
      plan_.queued(std::string{lane::view(place_.ticket->run_id())});
    }
  }

  [[nodiscard]] lane::TicketInfo info() {
    lane::TicketInfo info;
    info.tool = plan_.call->name;
    info.command = words(*plan_.call);
    char buffer[4096];
    place_.directory = ::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
    if (const char* terminal = ::ttyname(2); terminal != nullptr) {
      place_.terminal = terminal;
    }
    info.directory = place_.directory;
    info.terminal = place_.terminal;
    info.agent = caller_agent();
    info.may_prompt = plan_.decision.cls == shims::Class::Editor;
    info.reads_input = plan_.decision.reads_input;
    info.until = plan_.ready && !plan_.limits_only ? words_of(*plan_.ready) : std::string{};
    info.priority = plan_.settings.priority.value;
    info.rejoin_key = rejoin_key_of(*plan_.call, place_.directory, info.priority);
    info.call_key = plan_.call_key;
    info.rejoin = plan_.settings.rejoin.value;
    std::memcpy(info.context.data(), &traits_, sizeof traits_);
    return info;
  }

  [[nodiscard]] WaitOptions wait_options() const {
    WaitOptions options;
    if (plan_.queued) {
      options.placed = [this] { tell_queued(); };
    }
    options.lane_name = plan_.project.name;
    options.state_dir = plan_.project.state_dir;
    options.admission = admission_.is_on() ? &admission_ : nullptr;
    options.no_wait = plan_.no_wait;
    options.quiet = is_quiet() || plan_.settings.quiet.value;
    const char* held = std::getenv("ONELANE_HELD");
    const auto relation = [this, held] {
      return lane::relation_to_lane(*place_.table, held == nullptr ? "" : held,
                                    lane_call_test(plan_.lane_dir));
    };
    options.unprovable = relation() == lane::Relation::Unprovable;
    options.is_hidden = options.unprovable && !sys::ancestry_of(::getpid()).complete;
    options.is_nested = [relation] { return relation() == lane::Relation::BelowHolder; };
    options.run_on_deadlock =
        plan_.bounded_wait || plan_.settings.on_deadlock.value == settings::OnDeadlock::Run;
    options.run_when_over = plan_.bounded_wait;
    options.queue_timeout = plan_.bounded_wait ? plan_.settings.git_lock_wait.value
                                               : plan_.settings.queue_timeout.value;
    options.namespace_wait = plan_.settings.ns_wait.value;
    options.rejoin = plan_.settings.rejoin.value;
    return options;
  }

  /// Whoever removes the whole repository has just removed the lane file: a new one now would
  /// make his rm(1) fail at the directory.
  void let_removal_pass() const {
    if (const int signal = ending_signal(milliseconds{100})) {
      process::die_of(signal);
    }
  }

  /// Supervisor and guardian of the last run both died: end what it left before we start.
  std::optional<int> clear_away_last_run() {
    std::optional<int> code;
    while (!code && place_.ticket->unsettled()) {
      code = clear_away(lane::LastRun{*place_.ticket->unsettled()});
    }
    return code;
  }

  std::optional<int> clear_away(const lane::LastRun& last) {
    process::Ended ended;
    std::vector<process::KeptProcess> kept;
    const bool is_here = last.pid_namespace == sys::pid_namespace();
    if (is_here) {
      int signal = 0;
      ended = end_members_of(last, signal, kept);
      if (signal != 0) {
        place_.ticket->leave(leaving_by(signal));
        process::die_of(signal);
      }
      if (ended.signalled > 0) {
        say("the last run in this lane was killed; ended " + std::to_string(ended.signalled) +
            " of its processes");
      }
    }
    write_down_kept(last, kept);
    write_down_crash(last, ended, kept, is_here);
    const BackgroundWait wait = wait_for_background_of(last, plan_, signals_);
    if (!wait.has_ended) {
      place_.ticket->leave(leaving_by(wait.signal));
      if (wait.signal != 0) {
        process::die_of(wait.signal);
      }
      say_always(wait.why);
      return kExitGaveUp;
    }
    if (begin(*place_.ticket, plan_, signals_) == lane::Begun::Cancelled) {
      place_.ticket->leave();
      say_always("cancelled while waiting");
      return kExitGaveUp;
    }
    return std::nullopt;
  }

  /// `signal` is the one that interrupted it, if any did.
  process::Ended end_members_of(const lane::LastRun& last, int& signal,
                                std::vector<process::KeptProcess>& kept) const {
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
    ending.wait = [&](milliseconds limit) { return (signal = ending_signal(limit)) == 0; };
    process::Ended ended = process::end_members(ending);
    if (signal == 0) {
      kept = process::find_kept(search, traits, keep);
    }
    return ended;
  }

  void write_down_kept(const lane::LastRun& last,
                       const std::vector<process::KeptProcess>& kept) const {
    std::vector<lane::Kept> records;
    add_kept(records, kept, std::string{lane::view(last.run_id)});
    place_.ticket->write_down(records);
  }

  /// Nobody else is left to do it, unless the guardian died just after it had.
  void write_down_crash(const lane::LastRun& last, const process::Ended& ended,
                        const std::vector<process::KeptProcess>& kept, bool is_here) const {
    const std::string id{lane::view(last.run_id)};
    const auto written = journal::find(plan_.project.state_dir, id);
    if (written && (written->attempt == 0 || written->reason == journal::Reason::Crashed)) {
      return;
    }
    journal::Record record;
    record.attempt = written ? written->attempt + 1 : 0;  // it died between two, or in the next
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
    // Nobody saw when it ended: neither that nor its duration is made up.
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

  /// Members that cannot be told by their environment, if that run had a control group.
  [[nodiscard]] static std::vector<sys::ProcessId> grouped(const std::string& run_id) {
    std::vector<sys::ProcessId> out;
    const auto group = guard::Cgroup::find(run_id);
    for (const pid_t pid : group ? group->members() : std::vector<pid_t>{}) {
      if (const auto stat = sys::read_stat(pid)) {
        out.push_back(stat->id);
      }
    }
    return out;
  }

  /// Waits for an ending signal, at most that long; 0 for none.
  [[nodiscard]] int ending_signal(milliseconds limit) const {
    pollfd polled{signals_.fd(), POLLIN, 0};
    (void)::poll(&polled, 1, static_cast<int>(limit.count()));
    process::Signals::Arrived arrived;
    while (signals_.next_noticed(arrived)) {
      if (arrived.signal == SIGINT || arrived.signal == SIGTERM || arrived.signal == SIGHUP ||
          arrived.signal == SIGQUIT) {
        return arrived.signal;
      }
    }
    return 0;
  }

  const Plan& plan_;
  const process::Signals& signals_;
  const process::RunTraits& traits_;
  LanePlace& place_;
  Admission admission_;
};

}  // namespace

std::optional<int> take_lane(const Plan& plan, const process::Signals& signals,
                             const process::RunTraits& traits, LanePlace& place) {
  return Entrance{plan, signals, traits, place}.enter();
}

}  // namespace onelane::multicall
