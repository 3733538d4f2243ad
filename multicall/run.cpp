#include "multicall/run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "core/lane/nesting.hpp"
#include "core/lane/ticket.hpp"
#include "core/process/ending.hpp"
#include "core/process/supervisor.hpp"
#include "core/project/state.hpp"
#include "core/sys/error.hpp"
#include "multicall/environment.hpp"
#include "multicall/index_lock.hpp"
#include "multicall/real_tool.hpp"
#include "multicall/say.hpp"
#include "multicall/wait_turn.hpp"
#include "shims/tables.hpp"

namespace onelane::multicall {
namespace {

using shims::Class;
using std::chrono::milliseconds;

static_assert(sizeof(process::RunTraits) <= sizeof(lane::LastRun::context));

/// One planned call on its way; the steps of run_planned with what they share.
class PlannedRun {
 public:
  explicit PlannedRun(const Plan& plan) : plan_{plan}, traits_{process::traits_of_self(signals_)} {}

  /// Gets the lane (or a service's place); an exit code when there is nothing to run.
  std::optional<int> enter() {
    if (!sys::proc_is_ours()) {
      throw sys::SystemError{ESRCH, "find this process in", "/proc"};
    }
    const sys::FileDescriptor state = project::open_state(plan_.project);
    for (int attempt = 0; attempt < 8; ++attempt) {
      make_lane_directory(state.get());
      table_.emplace(plan_.lane_dir, project::file_mode(state.get()));
      ticket_.emplace(*table_, info());
      if (plan_.decision.cls == Class::Service) {
        (void)ticket_->enlist_service();
        return std::nullopt;
      }
      const Turn turn = wait_turn(*ticket_, signals_, wait_options());
      switch (turn.end) {
        case Turn::End::Started:
          return clear_away_last_run();
        case Turn::End::Signal:
          process::die_of(turn.signal);
        case Turn::End::GaveUp:
          say_always(turn.why);
          return kExitGaveUp;
        case Turn::End::Unqueued:
          say_always(turn.why + "; running without the lane" +
                     (plan_.bounded_wait ? "" : " (ON_DEADLOCK=run)"));
          ticket_.reset();
          return std::nullopt;
        case Turn::End::Gone:
          ticket_.reset();
          let_removal_pass();
          break;  // replaced: try again; removed with its directory: opening fails above
      }
    }
    throw sys::SystemError{ESTALE, "use", plan_.project.state_dir};
  }

  /// Launches and supervises; ends the process as the tool ended.
  int run() {
    if (plan_.decision.writes_index && !plan_.project.git_dir.empty()) {
      if (const int signal = wait_for_index_lock(plan_.project.git_dir,
                                                 plan_.settings.git_lock_wait.value, signals_)) {
        ticket_.reset();
        process::die_of(signal);
      }
    }
    std::string path = plan_.tool.path;
    std::vector<char*> argv = make_argv(*plan_.call, path);
    process::Outcome outcome = supervise(path, argv);
    if (outcome.launch_error == ENOEXEC) {
      static char shell[] = "/bin/sh";
      argv[0] = path.data();
      argv.insert(argv.begin(), shell);
      outcome = supervise(shell, argv);
    }
    if (outcome.launch_error != 0) {
      ticket_.reset();
      return explain_exec_failure(path, outcome.launch_error);
    }
    if (outcome.timed_out) {
      ::_exit(kExitTimedOut);  // not through main: a pending signal would end us otherwise
    }
    process::mirror(outcome.wait_status);
  }

 private:
  [[nodiscard]] lane::TicketInfo info() const {
    lane::TicketInfo info;
    info.tool = plan_.call->name;
    info.command = words(*plan_.call);
    char buffer[4096];
    info.directory = ::getcwd(buffer, sizeof buffer) != nullptr ? buffer : "";
    if (const char* terminal = ::ttyname(2); terminal != nullptr) {
      info.terminal = terminal;
    }
    info.may_prompt = plan_.decision.cls == Class::Editor;
    info.priority = plan_.settings.priority.value;
    std::memcpy(info.context.data(), &traits_, sizeof traits_);
    return info;
  }

  [[nodiscard]] WaitOptions wait_options() const {
    WaitOptions options;
    options.lane_name = plan_.project.name;
    options.no_wait = plan_.no_wait;
    options.quiet = is_quiet() || plan_.settings.quiet.value;
    const char* held = std::getenv("ONELANE_HELD");
    options.unprovable =
        lane::relation_to_lane(*table_, held == nullptr ? "" : held) == lane::Relation::Unprovable;
    options.run_on_deadlock =
        plan_.bounded_wait || plan_.settings.on_deadlock.value == settings::OnDeadlock::Run;
    options.run_when_over = plan_.bounded_wait;
    options.queue_timeout = plan_.bounded_wait ? plan_.settings.git_lock_wait.value
                                               : plan_.settings.queue_timeout.value;
    options.namespace_wait = plan_.settings.ns_wait.value;
    return options;
  }

  /// A lane below the project's own looks like it: owner, group and mode.
  void make_lane_directory(int state) const {
    struct stat like {};
    if (plan_.lane_dir == plan_.project.state_dir || ::fstat(state, &like) != 0 ||
        ::mkdir(plan_.lane_dir.c_str(), like.st_mode & 07777U) != 0) {
      return;
    }
    (void)!::lchown(plan_.lane_dir.c_str(), ::geteuid() == 0 ? like.st_uid : ::geteuid(),
                    like.st_gid);
    (void)::chmod(plan_.lane_dir.c_str(), like.st_mode & 07777U);
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
    const auto& last = ticket_->unsettled();
    if (!last) {
      return std::nullopt;
    }
    if (last->pid_namespace == sys::pid_namespace()) {
      process::RunTraits traits;
      std::memcpy(static_cast<void*>(&traits), last->context.data(), sizeof traits);
      process::Search search;
      search.run_id = lane::view(last->run_id);
      search.known = {sys::self_id()};
      int signal = 0;
      process::Ending ending;
      ending.grace = plan_.settings.kill_timeout.value;
      ending.members = [&] { return process::find_members(search, traits, keep_list()); };
      ending.wait = [&](milliseconds limit) { return (signal = ending_signal(limit)) == 0; };
      const process::Ended ended = process::end_members(ending);
      if (signal != 0) {
        ticket_->leave();
        process::die_of(signal);
      }
      if (ended.signalled > 0) {
        say("the last run in this lane was killed; ended " + std::to_string(ended.signalled) +
            " of its processes");
      }
    }
    ticket_->begin();
    return std::nullopt;
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

  /// What may live on: the built-in list and the project's KEEP.
  [[nodiscard]] process::KeepList keep_list() const {
    return [&more = plan_.settings.keep.value](std::string_view name,
                                               std::span<const std::string_view> arguments) {
      const auto keeps = [&](const shims::KeepRule& rule) {
        return shims::keeps(rule, name, arguments);
      };
      return std::ranges::any_of(shims::keep_list(), keeps) ||
             std::ranges::any_of(more, [&](const std::string& pattern) {
               return keeps({pattern, {}, {}});
             });
    };
  }

  [[nodiscard]] milliseconds time_limit() const {
    const bool unlimited = plan_.decision.cls != Class::Lane || plan_.call->name == "git" ||
                           (::isatty(0) == 1 && !plan_.wait_for_all);
    return unlimited ? milliseconds{0} : plan_.settings.timeout.value;
  }

  process::Outcome supervise(const std::string& path, const std::vector<char*>& argv) {
    const std::string run_id{ticket_ ? lane::view(ticket_->run_id()) : std::string_view{}};
    const ToolEnvironment environment{run_id, plan_.tool.at};
    process::Run run;
    run.command = {path.c_str(), argv.data(), environment.data()};
    run.run_id = run_id;
    run.name = words(*plan_.call, 60);
    run.traits = traits_;
    run.keep = keep_list();
    run.timeout = time_limit();
    run.linger = plan_.settings.linger.value;
    run.kill_timeout = plan_.settings.kill_timeout.value;
    run.check_interval = plan_.settings.check_interval.value;
    run.wait_for_all = plan_.wait_for_all || plan_.settings.wait.value == settings::WaitFor::All;
    if (table_) {
      run.guardian_descriptors = {table_->fd()};
    }
    process::Supervisor supervisor{run, signals_, hooks()};
    return supervisor.supervise();
  }

  process::Hooks hooks() {
    process::Hooks hooks;
    hooks.say = [this](const std::string& line) {
      if (!plan_.settings.quiet.value) {
        say(line);
      }
    };
    if (!ticket_) {
      return hooks;
    }
    hooks.started = [this](const sys::ProcessId& tool) { ticket_->set_tool(tool); };
    hooks.settled = [this](const std::vector<process::KeptProcess>& kept) {
      std::vector<lane::Kept> records;
      for (const process::KeptProcess& process : kept) {
        lane::Kept record;
        record.pid = process.id.pid;
        record.start = process.id.start;
        record.boot = static_cast<std::uint32_t>(sys::boot_id());
        record.run_id = ticket_->run_id();
        lane::set_text(record.name, process.command);
        records.push_back(record);
      }
      ticket_->close_record(records);
    };
    hooks.release = [this] { ticket_->release(); };
    hooks.after_crash = [this] { ticket_->close_record({}); };
    return hooks;
  }

  const Plan& plan_;
  process::Signals signals_;
  process::RunTraits traits_;
  std::optional<lane::Table> table_;
  std::optional<lane::Ticket> ticket_;
};

}  // namespace

int run_planned(const Plan& plan) {
  PlannedRun run{plan};
  if (const auto code = run.enter()) {
    return *code;
  }
  return run.run();
}

}  // namespace onelane::multicall
