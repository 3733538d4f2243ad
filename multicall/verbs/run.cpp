#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "multicall/context/facts.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/job/capture/capture.hpp"
#include "multicall/job/early_release.hpp"
#include "multicall/job/job.hpp"
#include "multicall/shim/decide.hpp"
#include "multicall/shim/run_call.hpp"
#include "multicall/term/exit_codes.hpp"
#include "multicall/term/say.hpp"
#include "multicall/verbs/rows.hpp"
#include "multicall/verbs/run_options.hpp"

namespace onelane::multicall {
namespace {

int execute(const tool::Found& found, const Call& call) {
  std::string path = found.path;
  ::unsetenv("ONELANE_BATCH");        // the name of the next one in older onelanes
  ::unsetenv("ONELANE_QUEUE_START");  // meant for us, not for the command; so is the label
  ::unsetenv("ONELANE_LABEL");
  std::vector<char*> argv = make_argv(call, path);
  ::execve(path.c_str(), argv.data(), environ);
  return explain_exec_failure(path, errno);
}

/// One `onelane run`: from its options to a plan, and to the process that runs the command.
class RunCommand {
 public:
  RunCommand(const Call& call, const RunOptions& options) : call_{call}, options_{options} {}

  int run() {
    plan_.tool = find_command_to_run(call_);
    if (plan_.tool.outcome != tool::Outcome::Found) {
      return explain_no_command(call_);
    }
    // Checked now, before waiting for a command that cannot run.
    if (::access(plan_.tool.path.c_str(), X_OK) != 0) {
      return explain_exec_failure(plan_.tool.path, errno);
    }
    if (const auto code =
            split_into_atoms(options_.atoms, options_.as_json, call_, plan_.tool, job_.retry)) {
      return *code;
    }
    if (const auto code = make_plan()) {
      return *code;
    }
    if (options_.detach) {
      return run_detached();
    }
    const auto& ready = job_.wiring.ready;
    const bool waits_for_line = ready && ready->port == 0;
    return options_.as_json || !options_.log.empty() || waits_for_line ? run_captured() : run_job();
  }

 private:
  /// An exit code if there is nothing to run.
  std::optional<int> make_plan() {
    auto project = project_here();
    const bool has_lane = project && project->adopted;
    if (!has_lane) {
      say("no project here has adopted onelane (`onelane init`); running without the lane");
      if (options_.detach) {
        say_always("--detach needs a project: the output goes to its logs");
        return kExitUsage;
      }
      if (!options_.needs_supervision()) {
        return execute(plan_.tool, call_);
      }
    }
    auto loaded =
        load_settings(project ? project->root : ".", settings::Audience::Run, options_.settings);
    for (const settings::Problem& problem : loaded.problems) {
      say_always(settings::describe(problem));
    }
    if (!loaded.problems.empty()) {
      return kExitBadSettings;
    }
    plan_.limits_only = options_.limits_only;
    if (has_lane) {
      place_lane(*project, loaded.settings);
      plan_.lane_dir = project->state_dir;
      if (const auto code = pass_below_holder()) {
        return code;
      }
    }
    fill_plan(std::move(project), std::move(loaded.settings));
    return std::nullopt;
  }

  /// A call below the holder must not wait for it, but has limits of its own.
  std::optional<int> pass_below_holder() {
    if (relation_to(plan_.lane_dir) != lane::Relation::BelowHolder) {
      return std::nullopt;
    }
    if (options_.detach) {
      say_always("--detach inside a run of this lane: it would wait for what waits for it");
      return kExitUsage;
    }
    if (!options_.needs_supervision()) {
      return execute(plan_.tool, call_);
    }
    plan_.limits_only = true;
    return std::nullopt;
  }

  void fill_plan(std::optional<project::Project> project, settings::Settings settings) {
    plan_.call = &call_;
    plan_.decision = {shims::Class::Lane, "onelane run"};
    const shims::Shim* shim = shims::find_shim(call_.name);
    plan_.decision.reads_input =
        shim != nullptr && shim->classify(call_.args, ProcessFacts{call_}).reads_input;
    plan_.project = std::move(project).value_or(project::Project{});
    plan_.settings = std::move(settings);
    plan_.no_wait = options_.no_wait;
    plan_.wait_for_all = true;
    job_.retry.retries = options_.retries;
    job_.retry.delay = options_.retry_delay;
    plan_.kill_signal = options_.kill_signal.value_or(SIGTERM);
    plan_.label = options_.label;
    job_.wiring.ready = wanted_release();
    plan_.until = job_.wiring.ready ? words_of(*job_.wiring.ready) : std::string{};
    if (plan_.settings.verbose.value && !plan_.settings.quiet.value) {
      Verdict verdict;
      verdict.decision = plan_.decision;
      verdict.why = plan_.decision.reason;
      verdict.action = Verdict::Action::Lane;
      verdict.project = plan_.project;
      verdict.lane_dir = plan_.lane_dir;
      say(explain_in_one_line(call_, verdict, plan_.tool.path));
    }
  }

  /// A command with attempts or parts of its own is no server, whatever the settings say.
  [[nodiscard]] std::optional<settings::Ready> wanted_release() const {
    if (plan_.lane_dir.empty() || plan_.limits_only) {
      return std::nullopt;
    }
    if (options_.ready) {
      return options_.ready;
    }
    return options_.retries != 0 || options_.atoms.are_wanted()
               ? std::nullopt
               : ready_rule_for(call_, plan_.settings);
  }

  int run_job() {
    Job job{plan_, job_};
    return run_planned(plan_, job);
  }

  int run_captured() {
    const auto captured = capture::capture_output(job_.wiring, {options_.log, options_.as_json});
    return run_to_the_end(captured);
  }

  int run_detached() {
    capture::Place place;
    place.log_directory = log_directory(plan_.project, plan_.settings);
    place.retention.age = std::chrono::days{plan_.settings.log_keep_days.value};
    place.retention.bytes = plan_.settings.log_max_mb.value << 20U;
    place.as_json = options_.as_json;
    const auto detached = capture::detach(job_.wiring, place);
    return detached.code ? *detached.code : run_to_the_end(*detached.captured);
  }

  /// Print nothing after the end was reported: our terminal may be gone by then.
  int run_to_the_end(const capture::Captured& captured) {
    int code = kExitFailed;
    try {
      code = run_job();
    } catch (const std::exception& failure) {
      say_always(failure.what());
    }
    captured.teller->tell_end();
    return code;
  }

  const Call& call_;
  const RunOptions& options_;
  Plan plan_;
  JobOptions job_;
};

int command_run(std::span<char*> args) {
  Options app{
      "Run any command in the lane: wait its turn, run it under the limits of the project, and "
      "wait for it and all its descendants.",
      "onelane run"};
  RunOptions options;
  if (const auto code = parse_run_options(app, options, args)) {
    return *code;
  }
  const auto command = command_behind(app, args, "onelane run [options] -- COMMAND");
  if (command.empty()) {
    return kExitUsage;
  }
  const Call call = make_call(static_cast<int>(command.size()), command.data());
  return RunCommand{call, options}.run();
}

}  // namespace

constinit const Command verbs::run{
    "run", "run any command in the lane", &command_run, {}, Group::Everyday};

int run_sequential(const Call& call) {
  std::vector<char*> words{call.argv.begin() + 1, call.argv.end()};
  return command_run(words);
}

}  // namespace onelane::multicall
