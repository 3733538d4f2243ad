#include "multicall/shim/run_shim.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "core/sys/error.hpp"
#include "core/sys/process_room.hpp"
#include "core/sys/values.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/job/capture/capture.hpp"
#include "multicall/job/coalesce/call_key.hpp"
#include "multicall/job/ready.hpp"
#include "multicall/shim/decide.hpp"
#include "multicall/shim/run.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

bool is_off() {
  const char* value = std::getenv("ONELANE");
  return value != nullptr && (std::string_view{value} == "off" || std::string_view{value} == "0");
}

/// With 0, 1 or 2 closed, a file of ours would land there and be taken for the caller's.
/// Close-on-exec, so that the tool finds them closed as the caller left them.
void fill_standard_descriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0) {
      (void)::open("/dev/null", O_RDWR | O_CLOEXEC);
    }
  }
}

/// The one place that decides what happens when onelane itself cannot do its work.
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

/// A call that passes at once reads no settings for this: the environment alone counts then.
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

/// One that is to wait for a line of its output needs somebody who reads it; where there can be
/// nobody, it keeps the lane.
int run_as_settled(Plan& plan) {
  std::optional<capture::Captured> captured;
  if (plan.ready && plan.ready->port == 0) {
    try {
      captured = capture::capture_output(plan, {});
    } catch (const std::exception& failure) {
      say(std::string{failure.what()} + "; the lane is kept until " + std::string{plan.call->name} +
          " has ended");
      plan.ready.reset();
      plan.ready_fd = -1;
    }
  }
  const int code = run_planned(plan);
  if (captured) {
    captured->teller->tell_end();
  }
  return code;
}

/// A run needs a supervisor, a guardian and a canary. Where the user may start hardly more than the
/// tool itself needs, they would take its place.
void expect_process_room() {
  constexpr std::uint64_t kEnough = 16;
  const auto room = sys::process_room();
  if (room && *room < kEnough) {
    throw sys::SystemError{EAGAIN, "start the processes of a run",
                           "(" + std::to_string(*room) + " more are allowed, ulimit -u)"};
  }
}

/// A call that does not pass. Not inlined: its plan takes a page of stack, which a call that passes
/// must not touch.
[[gnu::noinline]] int run_supervised(const Call& call, Verdict& verdict) {
  settings::Loaded& loaded = *verdict.loaded;
  Plan plan;
  plan.call = &call;
  plan.tool = find_real_tool(call);
  use_named_tool(plan.tool, call, loaded.settings);
  if (plan.tool.outcome != tool::Outcome::Found) {
    return explain_missing(call, plan.tool);  // before anybody waits for nothing
  }
  if (!loaded.settings.quiet.value) {
    say_problems(loaded);
  }
  if (is_verbose(verdict) && !loaded.settings.quiet.value) {
    say(explain_in_one_line(call, verdict, plan.tool.path));
  }
  if (verdict.action == Verdict::Action::Lane) {
    plan.ready = ready_rule_for(call, loaded.settings);
  }
  plan.call_key = plan.ready ? 0 : coalesce::standing_of(call, verdict).key;
  expect_process_room();
  fill_standard_descriptors();
  plan.decision = verdict.decision;
  plan.lane_dir = verdict.lane_dir;
  plan.bounded_wait = verdict.bounded_wait;
  plan.project = std::move(*verdict.project);
  plan.settings = std::move(loaded.settings);
  return run_as_settled(plan);
}

}  // namespace

int run_shim(const Call& call) {
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
    return run_supervised(call, verdict);
  } catch (const std::exception& failure) {
    return fail(call, failure, on_error);
  }
}

}  // namespace onelane::multicall
