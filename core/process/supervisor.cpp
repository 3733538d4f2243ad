#include "core/process/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/process/ending.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"

namespace onelane::process {
namespace {

/// A run this short is not worth a second process: should its supervisor be killed, the next
/// ticket finds the record open and clears away.
constexpr milliseconds kGuardianAfter{5};
/// A poll that ends later than this after its time, with a SIGCONT, was stopped.
constexpr milliseconds kStoppedFor{100};

/// Gives up our copies of the caller's descriptors, so that pipes see their end of file and
/// their readers' departure as if we were not there. Standard error stays for notices.
void drop_caller_descriptors() noexcept {
  sys::close_foreign_descriptors();
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    ::dup2(null, 0);
    ::dup2(null, 1);
    if (null > 2) {
      ::close(null);
    }
  }
}

/// Beside a bomb of hundreds that run, a look would get a hundredth of a processor, whatever
/// our nice value: each of its sessions has as much of it as ours (sched(7), autogroup). So we
/// go before all that share, where we may; our children do not.
void come_first() noexcept {
  const sched_param lowest{1};
  ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
}

}  // namespace

Supervisor::Supervisor(const Run& run, const Signals& signals, Hooks hooks)
    : run_{run},
      traits_{run.traits},
      signals_{signals},
      hooks_{std::move(hooks)},
      parent_{::getppid()} {}

Outcome Supervisor::supervise() {
  for (const pid_t child : sys::own_children()) {
    if (const auto stat = sys::read_stat(child)) {
      prior_.push_back(stat->id);
    }
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  canary_.start();
  ::sigpending(&missed_);
  const Launched launched = launch(run_.command, signals_);
  if (launched.error != 0) {
    canary_.end();
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);  // survives an execve(2) of ours
    if (launched.pid < 0) {
      throw sys::SystemError{launched.error, "start", "a process"};
    }
    outcome_.launch_error = launched.error;
    ::waitpid(launched.pid, nullptr, 0);
    return outcome_;
  }
  see_it_through(launched.pid);
  return outcome_;
}

void Supervisor::see_it_through(pid_t tool) noexcept {
  started_ = sys::monotonic_time();
  next_look_ = started_ + pause_;
  awake_ = started_;
  const auto stat = sys::read_stat(tool);
  tool_ = stat ? stat->id : sys::ProcessId{tool, 0};
  if (!run_.may_go_on) {
    drop_caller_descriptors();
  }
  pump(kGuardianAfter);
  if (!tool_status_) {
    come_first();
    start_guardian();
    if (hooks_.started) {
      hooks_.started(tool_);
    }
  }
  wait_for_tool();
  canary_.dismiss();
  settle();
  canary_.end();
}

void Supervisor::start_guardian() {
  Duty duty;
  duty.run_id = run_.run_id;
  duty.traits = run_.traits;
  duty.traits.was_cut_short = 1;
  duty.keep = run_.keep;
  duty.kill_timeout = run_.kill_timeout;
  duty.descriptors = run_.guardian_descriptors;
  duty.after_crash = hooks_.after_crash ? hooks_.after_crash : [](const auto&) {};
  if (hooks_.in_background) {
    duty.background = {run_.run_id,
                       run_.is_lane_call,
                       started_,
                       run_.kill_timeout,
                       run_.check_interval,
                       hooks_.judge_background,
                       hooks_.background_stop_ordered};
    duty.after_background = hooks_.after_background;
    duty.found_background = [this](const std::vector<sys::ProcessId>& roots) {
      std::vector<KeptProcess> kept;
      for (const sys::ProcessId& id : roots) {
        kept.push_back({id, sys::command_line(id.pid, 80), Leftover::Detached, true});
      }
      (void)hooks_.in_background(kept, sys::self_id());
    };
  }
  guardian_.start(duty);
  if (guardian_.pid() < 0 && !said_unguarded_) {
    said_unguarded_ = true;
    say(std::string{"no guardian can be started ("} + std::strerror(errno) +
        "); if this onelane is killed, what " + run_.name + " leaves is ended by the next call");
  }
}

void Supervisor::wait_for_tool() {
  while (!tool_status_) {
    if (order_ != Order::GoOn && !outcome_.ended_by_order) {
      end_by_order();
    } else {
      pump(until_look());
    }
  }
}

void Supervisor::end_by_order() {
  outcome_.ended_by_order = true;
  is_ending_ = true;
  // The main child first and alone: most tools end their own children in order.
  (void)send_signal(tool_, run_.kill_signal);
  (void)send_signal(tool_, SIGCONT);
  const auto half = sys::monotonic_time() + run_.kill_timeout / 2;
  while (!tool_status_ && order_ != Order::Kill && sys::monotonic_time() < half) {
    pump(std::chrono::ceil<milliseconds>(half - sys::monotonic_time()));
  }
  Ending ending;
  ending.grace = tool_status_ ? run_.kill_timeout : run_.kill_timeout / 2;
  ending.told = {tool_};
  ending.members = [this] { return condemned(); };
  ending.hurry = [this] { return order_ == Order::Kill; };
  ending.wait = [this](milliseconds pause) {
    pump(pause);
    return true;
  };
  (void)end_members(ending);
  if (!tool_status_) {
    order_ = Order::Kill;  // nothing more to ask: whoever judged has had his way
    say(run_.name + " cannot be ended (another user's, or in the kernel); waiting for it");
  }
}

void Supervisor::pump(milliseconds limit) {
  limit = held_.until_look(sys::monotonic_time(), std::min(limit, until_look()));
  const bool peeks = peek_.count() > 0 && peek_ < limit;
  pollfd polled[2] = {{signals_.fd(), POLLIN, 0},
                      {order_ == Order::GoOn ? run_.wake : -1, POLLIN, 0}};
  const milliseconds pause =
      has_more_to_reap_ ? milliseconds{0} : std::max(milliseconds{0}, peeks ? peek_ : limit);
  const int ready = ::poll(polled, 2, static_cast<int>(pause.count()));
  const auto late = sys::monotonic_time() - awake_ - pause;
  awake_ = sys::monotonic_time();
  if (ready > 0) {
    Signals::Arrived arrived;
    while (signals_.next(arrived)) {
      if (arrived.signal == SIGCONT && late > kStoppedFor) {
        stopped_for_ += late;  // SIGSTOP to the whole group stopped us as well
      }
      handle(arrived);
    }
  }
  if (has_more_to_reap_) {
    reap();
  }
  if (!held_.is_empty()) {
    look_at_held();
  }
  const bool is_woken = ready > 0 && (polled[1].revents & POLLIN) != 0;
  const bool may_peek = ready == 0 && pause == peek_ && peeks;
  if (until_look().count() == 0 || is_woken || (may_peek && hooks_.peek())) {
    look();
  }
}

void Supervisor::say(const std::string& line) const {
  if (hooks_.say) {
    hooks_.say(line);
  }
}

}  // namespace onelane::process
