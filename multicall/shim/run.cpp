#include "multicall/shim/run.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <utility>

#include "core/process/supervisor.hpp"
#include "core/sys/clock.hpp"
#include "multicall/context/index_lock.hpp"
#include "multicall/context/real_tool.hpp"
#include "multicall/job/coalesce/coalesce.hpp"
#include "multicall/job/early_release.hpp"
#include "multicall/shim/attempt.hpp"
#include "multicall/shim/background_run.hpp"
#include "multicall/shim/clamp.hpp"
#include "multicall/shim/environment.hpp"
#include "multicall/shim/pause.hpp"
#include "multicall/shim/record.hpp"
#include "multicall/shim/take_lane.hpp"
#include "multicall/shim/take_over.hpp"
#include "multicall/shim/watch.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

/// One planned call on its way; the steps of run_planned with what they share.
class PlannedRun {
 public:
  explicit PlannedRun(const Plan& plan) : plan_{plan}, traits_{process::traits_of_self(signals_)} {}

  /// Gets the lane (or a service's place); an exit code when there is nothing to run.
  std::optional<int> enter() {
    note_queued();
    if (plan_.lane_dir.empty()) {
      return std::nullopt;
    }
    const auto code = take_lane(plan_, signals_, traits_, place_);
    if (!code && place_.ticket) {
      run_id_ = lane::view(place_.ticket->run_id());
      take_over_.begin();
    }
    return code;
  }

  /// Launches and supervises, again where that is asked for; ends the process as the tool ended.
  int run() {
    // Beside the holder a lock is that run's, most likely, and may wait for us.
    const bool is_beside = place_.ticket && place_.ticket->is_beside();
    if (plan_.decision.writes_index && !plan_.project.git_dir.empty() && !is_beside) {
      leave_by(
          wait_for_index_lock(plan_.project.git_dir, plan_.settings.git_lock_wait.value, signals_));
    }
    if (!is_beside) {
      coalesce();
    }
    started_ = sys::monotonic_time();
    run_attempt();
    while (next_ == Next::Attempt) {
      watch_->say_line(retry_words(whole_, *watch_, plan_, attempt_));
      leave_by(pause(signals_, plan_.retry_delay));
      ++attempt_;
      note_queued();
      run_attempt();
    }
    if (kept_run_) {
      kept_run_->wait_for_reader();
    }
    if (whole_.launch_error != 0) {
      give_lane_back();
      return explain_exec_failure(plan_.tool.path, whole_.launch_error);
    }
    if (const auto code = watch_->exit_code()) {
      ::_exit(*code);  // not through main: a pending signal would end us otherwise
    }
    process::mirror(whole_.wait_status);
  }

 private:
  enum class Next { Nothing, Part, Attempt };

  /// Does not return where the result of another call is ours, too.
  void coalesce() {
    const coalesce::Found found = coalesce::look_around(plan_, place_, times_, signals_);
    leave_by(found.signal);
    if (found.taken) {
      coalesce::take_result(plan_, place_, own_record(), *found.taken, signals_);
    }
    kept_run_ = coalesce::KeptRun::begin(plan_, place_, signals_, found);
    if (!place_.start_notice.empty()) {
      say(place_.start_notice);
    }
  }

  /// Does nothing for 0.
  void leave_by(int signal) {
    if (signal != 0) {
      give_lane_back();
      process::die_of(signal);
    }
  }

  /// Where no supervisor does it: nothing of the run lives.
  void give_lane_back() noexcept {
    if (place_.ticket && has_run_) {
      place_.ticket->close_record(kept_);
      place_.ticket->release();
    }
    place_.ticket.reset();
  }

  void note_queued() {
    times_.queued = sys::monotonic_time();
    times_.queued_wall_ms = sys::wall_milliseconds();
  }

  void run_attempt() {
    begin_attempt();
    run_parts();
    wind_up();
  }

  void begin_attempt() {
    times_.started = sys::monotonic_time();
    times_.started_wall_ms = sys::wall_milliseconds();
    watch_.emplace(plan_, run_id_, times_.started - started_);
    whole_ = {};
    has_record_ = false;
    if (attempt_ == 1 && !clamp_.notice.empty()) {
      watch_->say_line(words(*plan_.call, 60) + ": " + clamp_.notice);
    }
  }

  /// One attempt: the call itself, or what stands in its place.
  void run_parts() {
    const std::size_t count = std::max<std::size_t>(plan_.commands.size(), 1);
    for (part_ = 0; part_ < count; ++part_) {
      leave_by(part_ == 0 ? 0 : pause(signals_, std::chrono::milliseconds{0}));
      next_ = Next::Nothing;
      whole_ = whole_with(supervise_part());
      if (next_ != Next::Part) {
        return;
      }
    }
  }

  process::Outcome supervise_part() {
    std::string path = plan_.tool.path;
    std::vector<char*> argv = make_argv(*plan_.call, path);
    plan_.commands.empty() ? use_clamped_args(clamp_, argv) : use_command(commands_[part_], argv);
    part_started_ = sys::monotonic_time();
    process::Outcome outcome = supervise(path, argv);
    if (outcome.launch_error == ENOEXEC) {
      static char shell[] = "/bin/sh";
      argv[0] = path.data();
      argv.insert(argv.begin(), shell);
      outcome = supervise(shell, argv);
    }
    return outcome;
  }

  process::Outcome supervise(const std::string& path, const std::vector<char*>& argv) {
    const ToolEnvironment environment{run_id_, plan_.tool.at, clamp_.environment};
    process::Run run = run_of(plan_, traits_);
    run.command = {path.c_str(), argv.data(), environment.data(),
                   kept_run_ ? kept_run_->output() : plan_.output,
                   scheduling_of(plan_.settings, clamp_)};
    run.run_id = run_id_;
    run.may_go_on = attempt_ <= plan_.retries || part_ + 1 < plan_.commands.size();
    if (place_.table) {
      run.guardian_descriptors = {place_.table->fd(), place_.state.get()};
    }
    run.wake = early_release_.wake() >= 0 ? early_release_.wake() : take_over_.wake();
    watch_->note_launch();
    process::Outcome outcome = process::Supervisor{run, signals_, hooks()}.supervise();
    has_run_ = has_run_ || outcome.launch_error == 0;
    return outcome;
  }

  [[nodiscard]] process::Outcome whole_with(const process::Outcome& part) const {
    return with_part(whole_, part, plan_.nothing_code);
  }

  /// What follows a command that has ended; the last one gives the lane back.
  [[nodiscard]] Next next_after(const process::Outcome& part) const {
    if (part_ + 1 < plan_.commands.size() && ended_by_itself(part)) {
      return Next::Part;
    }
    const bool has_another =
        attempt_ <= plan_.retries && has_time_for_retry(plan_, sys::monotonic_time() - started_);
    return has_another && may_retry(whole_with(part), *watch_) ? Next::Attempt : Next::Nothing;
  }

  /// Nothing in here may be taken for a failure to run the tool: it would be run again.
  void wind_up() noexcept {
    try {
      watch_->finish();
      keep_record(whole_);
      if (whole_.ended_by_order || (whole_.launch_error == 0 && WIFSIGNALED(whole_.wait_status))) {
        watch_->say_left_lock(plan_.call->name == "git" ? whole_.tool : 0);
      }
    } catch (const std::exception&) {
      // A notice is lost; the run is over all the same.
    }
  }

  [[nodiscard]] journal::Record own_record() const {
    journal::Record record = record_of(plan_, place_, traits_, times_);
    record.attempt = plan_.retries == 0 ? 0 : attempt_;
    return record;
  }

  /// Once an attempt. A run without a ticket has no id, and so no line in the journal.
  void keep_record(const process::Outcome& whole) noexcept try {
    if (std::exchange(has_record_, true) || (!place_.ticket && !plan_.report)) {
      return;
    }
    journal::Record record = own_record();
    add_outcome(record, whole, *watch_, times_);
    if (kept_run_) {
      kept_run_->finish(record, whole);
    }
    if (plan_.report) {
      plan_.report(record);  // first: who reads the record finds the output
    }
    if (place_.ticket) {
      append_record(place_, record);
    }
  } catch (const std::exception&) {
    // The record is lost; the run is over all the same.
  }

  process::Hooks hooks() {
    process::Hooks hooks;
    hooks.judge = [this](process::Scene scene) {
      scene.running += part_started_ - times_.started;
      process::Judgement judgement = watch_->judge(scene);
      early_release_.look(scene, *watch_, judgement);
      take_over_.look(judgement);
      return judgement;
    };
    hooks.peek = [this] { return early_release_.peek() || watch_->peek(); };
    hooks.stop_ordered = [this](const auto& order) { watch_->note_stop(order); };
    hooks.say = [this](const std::string& line) { watch_->say_line(line); };
    hooks.goes_on = [this](const process::Outcome& part) {
      next_ = next_after(part);
      if (next_ == Next::Nothing) {
        if (kept_run_) {
          keep_record(whole_with(part));  // while the lane is held: the next one looks for it
        }
        return false;  // what this one has kept is told to `settled`
      }
      add_kept(kept_, part.kept, run_id_);
      return true;
    };
    if (!place_.ticket) {
      return hooks;
    }
    auto& ticket = *place_.ticket;
    hooks.started = [&ticket](const sys::ProcessId& tool) { ticket.set_tool(tool); };
    background_.add_to(hooks, ticket, kept_);
    hooks.after_crash = [this, &ticket](const auto& kept) {
      add_kept(kept_, kept, run_id_);
      ticket.close_record(kept_);
      append_crash(place_, own_record(), times_, kept);
    };
    return hooks;
  }

  const Plan& plan_;
  process::Signals signals_;
  process::RunTraits traits_;
  LanePlace place_;
  EarlyRelease early_release_{plan_, place_};
  TakeOver take_over_{place_};
  ClampPlan clamp_{plan_clamp(*plan_.call, plan_.settings, plan_.decision.cls)};
  Times times_;
  std::string run_id_;          ///< Empty without the lane.
  std::optional<Watch> watch_;  ///< Of the attempt.
  BackgroundRun background_{plan_, run_id_};
  std::vector<std::vector<std::string>> commands_{plan_.commands};  ///< execve(2) wants char*.
  unsigned attempt_ = 1;
  std::size_t part_ = 0;
  Next next_ = Next::Nothing;
  process::Outcome whole_;  ///< Of the attempt so far.
  std::vector<lane::Kept> kept_;
  std::chrono::nanoseconds started_{};
  std::chrono::nanoseconds part_started_{};
  bool has_run_ = false;
  std::unique_ptr<coalesce::KeptRun> kept_run_;  ///< Others wait for its result.
  bool has_record_ = false;                      ///< Of the attempt.
};

}  // namespace

int run_planned(const Plan& plan) {
  PlannedRun run{plan};
  const auto code = run.enter();
  return code ? *code : run.run();
}

}  // namespace onelane::multicall
