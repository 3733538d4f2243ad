// The way of one call: run_call() decides, run_planned() takes the turn and runs the tool. Both
// read from top to bottom; each step has a file of its own.
#include "multicall/shim/run_call.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/process/supervisor.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/process.hpp"
#include "core/sys/values.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/shim/attempt.hpp"
#include "multicall/shim/clamp.hpp"
#include "multicall/shim/environment.hpp"
#include "multicall/shim/turn.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

/// A shorter run gets no guardian: if its supervisor is killed, the next ticket finds the record
/// open and clears away.
constexpr std::chrono::milliseconds kGuardianAfter{5};

bool is_off() {
  const char* value = std::getenv("ONELANE");
  return value != nullptr && (std::string_view{value} == "off" || std::string_view{value} == "0");
}

/// If the caller closed 0, 1 or 2, a file of ours would get that number and be taken for the
/// caller's. Close-on-exec, so that the tool finds them closed, as the caller left them.
void fill_standard_descriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) {
      (void)::open("/dev/null", O_RDWR | O_CLOEXEC);
    }
  }
}

/// What happens if onelane itself fails before the tool is started: ON_ERROR decides.
int fail(const Call& call, const std::exception& failure, settings::OnError on_error) {
  if (on_error == settings::OnError::Closed) {
    say_always(std::string{failure.what()} + "; not running " + std::string{call.name} +
               " (ON_ERROR=closed)");
    return kExitFailed;
  }
  say_always(std::string{failure.what()} + "; running " + std::string{call.name} +
             " without the lane");
  return pass_through(call);
}

/// A call that passes at once has read no settings: then only the environment counts.
bool is_verbose(const Verdict& verdict) {
  if (verdict.loaded) {
    return verdict.loaded->settings.verbose.value;
  }
  const char* value = std::getenv("ONELANE_VERBOSE");
  return value != nullptr && sys::parse_bool(value).value_or(false);
}

void say_problems(const settings::Loaded& loaded) {
  for (const settings::Problem& problem : loaded.problems) {
    say(settings::describe(problem));
  }
}

/// `real = "/path"` of a trusted [tools.NAME] outranks PATH, but never names a shim.
void use_named_tool(tool::Found& found, const Call& call, const settings::Settings& settings) {
  const auto entry = settings.tools.find(std::string{call.name});
  if (entry == settings.tools.end() || entry->second.real.empty()) {
    return;
  }
  const std::string& path = entry->second.real;
  if (::access(path.c_str(), X_OK) != 0 || tool::is_onelane(path.c_str())) {
    say("[tools." + std::string{call.name} + "] real = \"" + path +
        "\" cannot be executed or is a shim; using PATH");
    return;
  }
  found.outcome = tool::Outcome::Found;
  found.path = path;
}

/// A run needs a guardian and a canary beside the tool. If the user may start only a few more
/// processes (ulimit -u), those are left to the tool.
void expect_process_room() {
  constexpr std::uint64_t kEnough = 16;
  const auto room = sys::process_room();
  if (room && *room < kEnough) {
    throw sys::SystemError{EAGAIN, "start the processes of a run",
                           "(" + std::to_string(*room) + " more are allowed, ulimit -u)"};
  }
}

/// Starts the next command of the run: 0, or the errno of its exec. Throws SystemError if no
/// process can be started.
int launch(process::Supervisor& supervisor, const Plan& plan, Additions& additions,
           ClampPlan& clamp, const std::string& run_id) {
  std::string path = plan.tool.path;
  std::vector<char*> argv = make_argv(*plan.call, path);
  use_clamped_args(clamp, argv);
  additions.set_command(argv);
  const ToolEnvironment environment{run_id, plan.tool.at, clamp.environment};
  process::Command command{path.c_str(), argv.data(), environment.data(), additions.output(),
                           scheduling_of(plan.settings, clamp)};
  const int error = supervisor.launch(command);
  if (error != ENOEXEC) {
    return error;
  }
  static char shell[] = "/bin/sh";  // as execvp(3) does for a script without `#!`
  argv[0] = path.data();
  argv.insert(argv.begin(), shell);
  command.path = shell;
  command.argv = argv.data();
  return supervisor.launch(command);
}

/// The plan of a call that does not pass. Moves parts out of `verdict`. Says what is wrong with the
/// settings.
Plan plan_of(const Call& call, Verdict& verdict) {
  settings::Loaded& loaded = *verdict.loaded;
  Plan plan;
  plan.call = &call;
  plan.tool = find_real_tool(call);
  use_named_tool(plan.tool, call, loaded.settings);
  plan.decision = verdict.decision;
  plan.lane_dir = verdict.lane_dir;
  plan.bounded_wait = verdict.bounded_wait;
  if (plan.tool.outcome == tool::Outcome::Found && !loaded.settings.quiet.value) {
    say_problems(loaded);
    if (is_verbose(verdict)) {
      say(explain_in_one_line(call, verdict, plan.tool.path));
    }
  }
  plan.settings = std::move(loaded.settings);
  plan.project = std::move(*verdict.project);
  return plan;
}

/// Not inlined: its plan takes a page of stack, which a call that passes through must not touch.
[[gnu::noinline]] int run_in_turn(const Call& call, Verdict& verdict, AdditionsFor additions_for) {
  Plan plan = plan_of(call, verdict);
  if (plan.tool.outcome != tool::Outcome::Found) {
    return explain_missing(call, plan.tool);  // before waiting in vain
  }
  expect_process_room();
  fill_standard_descriptors();
  const auto additions = additions_for(plan);
  const int code = run_planned(plan, *additions);
  additions->leave();
  return code;
}

}  // namespace

int run_call(const Call& call, AdditionsFor additions_for) {
  if (is_off()) {
    return pass_through(call);
  }
  auto on_error = settings::OnError::Open;
  try {
    Verdict verdict = decide(call);
    if (verdict.spares_index) {
      ::setenv("GIT_OPTIONAL_LOCKS", "0", 1);
    }
    if (verdict.action == Verdict::Action::Pass) {
      if (is_verbose(verdict)) {
        say(explain_in_one_line(call, verdict, find_real_tool(call).path));
      }
      return pass_through(call, verdict.is_lane_call);
    }
    on_error = verdict.loaded->settings.on_error.value;
    return run_in_turn(call, verdict, additions_for);
  } catch (const std::exception& failure) {
    return fail(call, failure, on_error);
  }
}

int run_planned(const Plan& plan, Additions& additions) {
  const process::Signals signals;  // blocks them: from here on they are read in order
  const process::RunTraits traits = process::traits_of_self(signals);
  ClampPlan clamp = plan_clamp(*plan.call, plan.settings, plan.decision.cls);
  Times times = Times::queued_now();

  Turn turn{plan, signals, traits, additions};
  if (const auto code = turn.wait()) {  // also clears away after a killed run
    return *code;
  }
  turn.wait_for_index_lock();
  turn.leave_by(additions.begin(turn, times));
  if (!turn.start_notice().empty()) {
    say(turn.start_notice());
  }

  const auto began = sys::monotonic_time();
  for (bool is_first = true;; is_first = false) {
    Attempt attempt{plan, turn, additions, times, sys::monotonic_time() - began};
    if (is_first && !clamp.notice.empty()) {
      attempt.say(command_line(*plan.call, 60) + ": " + clamp.notice);
    }
    Next next = Next::Part;
    while (next == Next::Part) {
      const process::Run run = attempt.run();
      process::Supervisor supervisor{run, signals, attempt};
      attempt.note_launch();
      if (const int error = launch(supervisor, plan, additions, clamp, turn.run_id())) {
        attempt.note_end({.launch_error = error});
        attempt.finish();
        turn.close_record({});
        turn.free();
        return explain_exec_failure(plan.tool.path, error);
      }
      // The tool runs: from here on nothing may throw, or fail() would run it a second time.
      if (supervisor.outlives(kGuardianAfter)) {
        supervisor.start_guardian();
        turn.name_tool(supervisor.tool());
      }
      supervisor.wait();
      attempt.note_end(supervisor.settle());

      next = additions.next(supervisor.outcome(), attempt);
      if (next != Next::Nothing) {
        turn.note_kept(supervisor.outcome().kept);
        supervisor.stand_down();
        turn.leave_by(next == Next::Part ? additions.pause_before(next, signals, attempt) : 0);
        continue;
      }
      const bool is_handed_over = turn.go_on_in_background(supervisor);
      attempt.note_end(supervisor.outcome());
      supervisor.say_kept();
      if (!is_handed_over) {
        // In this order, so that the locks are never both free while the record is open.
        turn.close_record(supervisor.outcome().kept);
        supervisor.tell_guardian();
        turn.free();
        supervisor.dismiss_guardian();
      }
    }
    attempt.finish();
    if (next == Next::Nothing) {
      additions.finish();
      if (const auto code = attempt.watch().exit_code()) {
        ::_exit(*code);  // not through main(): a pending signal would end us otherwise
      }
      process::mirror(attempt.whole().wait_status);
    }
    turn.leave_by(additions.pause_before(next, signals, attempt));
    times = Times::queued_now();
  }
}

}  // namespace onelane::multicall
