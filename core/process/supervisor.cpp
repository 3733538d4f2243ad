#include "core/process/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/process/ending.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"

namespace onelane::process {
namespace {

/// A run this short is not worth a second process: should its supervisor be killed, the next
/// ticket finds the record open and clears away.
constexpr milliseconds kGuardianAfter{5};

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

/// Signals that the kernel only ever sends to a whole foreground group when it sends them.
bool is_for_the_terminal_group(int signal) noexcept {
  return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP || signal == SIGTTIN ||
         signal == SIGTTOU || signal == SIGWINCH;
}

/// Our group is the foreground group of our terminal.
bool is_in_foreground() noexcept {
  const auto self = sys::read_stat(::getpid());
  return self && self->tty != 0 && self->tty_group == self->group;
}

}  // namespace

Supervisor::Supervisor(const Run& run, const Signals& signals, Hooks hooks)
    : run_{run}, signals_{signals}, hooks_{std::move(hooks)} {}

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
  next_tick_ = started_ + tick_length_;
  const auto stat = sys::read_stat(tool);
  tool_ = stat ? stat->id : sys::ProcessId{tool, 0};
  drop_caller_descriptors();
  pump(kGuardianAfter);
  if (!tool_status_) {
    start_guardian();
    if (hooks_.started) {
      hooks_.started(tool_);
    }
  }
  wait_for_tool();
  canary_.dismiss();
  settle();
  canary_.end();
  outcome_.wait_status = tool_status_.value_or(0);
}

void Supervisor::start_guardian() {
  Duty duty;
  duty.run_id = run_.run_id;
  duty.traits = run_.traits;
  duty.keep = run_.keep;
  duty.kill_timeout = run_.kill_timeout;
  duty.descriptors = run_.guardian_descriptors;
  duty.after_crash = hooks_.after_crash ? hooks_.after_crash : [] {};
  guardian_.start(duty);
}

void Supervisor::wait_for_tool() {
  while (!tool_status_) {
    milliseconds limit = until_tick();
    if (run_.timeout.count() > 0) {
      const auto left = started_ + stopped_for_ + run_.timeout - sys::monotonic_time();
      if (left <= std::chrono::nanoseconds{0}) {
        end_by_timeout();
        return;
      }
      limit = std::min(limit, std::chrono::ceil<milliseconds>(left));
    }
    pump(limit);
  }
}

void Supervisor::end_by_timeout() {
  outcome_.timed_out = true;
  say(run_.name + ": over its time limit of " +
      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(run_.timeout).count()) +
      " s (TIMEOUT); ending it");
  // The main child first and alone: most tools end their own children in order.
  (void)send_signal(tool_, SIGTERM);
  (void)send_signal(tool_, SIGCONT);
  const auto half = sys::monotonic_time() + run_.kill_timeout / 2;
  while (!tool_status_ && sys::monotonic_time() < half) {
    pump(std::chrono::ceil<milliseconds>(half - sys::monotonic_time()));
  }
  Ending ending;
  ending.grace = tool_status_ ? run_.kill_timeout : run_.kill_timeout / 2;
  ending.members = [this] { return tool_status_ ? sort_members().stragglers : members(); };
  ending.wait = [this](milliseconds pause) {
    pump(pause);
    return true;
  };
  outcome_.survivors = end_members(ending).left;
}

void Supervisor::pump(milliseconds limit) {
  pollfd polled{signals_.fd(), POLLIN, 0};
  if (::poll(&polled, 1, static_cast<int>(std::max<long>(0, limit.count()))) > 0) {
    Signals::Arrived arrived;
    while (signals_.next(arrived)) {
      handle(arrived);
    }
  }
  if (until_tick().count() == 0) {
    tick();
  }
}

void Supervisor::handle(const Signals::Arrived& arrived) {
  const int signal = arrived.signal;
  if (signal == SIGCHLD) {
    reap();
    return;
  }
  // The tool's end is signal 17 and waits behind a 15 in the queue: look before a signal goes
  // to a tool that has ended.
  reap();
  if (tool_status_) {
    impatient_ = impatient_ || signal == SIGINT || signal == SIGTERM || signal == SIGHUP ||
                 signal == SIGQUIT;
    return;
  }
  const bool before_the_tool = ::sigismember(&missed_, signal) == 1;
  ::sigdelset(&missed_, signal);
  if (before_the_tool) {
    forward(signal);
  } else if (canary_.has_seen(signal)) {
    renew_canary();
  } else if (!arrived.from_kernel || !is_for_the_terminal_group(signal)) {
    forward(signal);
  }
}

// The canary has got a signal, which stays pending in it: only a fresh one can tell the next.
// What is in our queue once the fresh one exists came either before it (then to us alone,
// unless the previous one has it too) or after (then it tells). A second one of a kind that
// the group has just got counts as sent to the group: two so close together may merge anyway.
void Supervisor::renew_canary() {
  constexpr int kMostRounds = 8;
  bool child_changed = false;
  bool again = true;
  for (int round = 0; again && round < kMostRounds; ++round) {
    canary_.start();
    again = false;
    Signals::Arrived next;
    while (signals_.next(next)) {
      if (next.signal == SIGCHLD) {
        child_changed = true;
        continue;
      }
      const bool fresh = canary_.has_seen(next.signal);
      again = again || fresh;
      if (!fresh && !canary_.previous_has_seen(next.signal) &&
          (!next.from_kernel || !is_for_the_terminal_group(next.signal))) {
        forward(next.signal);
      }
    }
    canary_.drop_previous();
  }
  if (child_changed) {
    reap();
  }
}

void Supervisor::forward(int signal) {
  (void)send_signal(tool_, signal);
}

void Supervisor::reap() {
  int status = 0;
  for (;;) {
    const pid_t pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
    if (pid <= 0) {
      return;
    }
    const bool ended = WIFEXITED(status) || WIFSIGNALED(status);
    if (pid == tool_.pid && ended) {
      tool_status_ = status;
    } else if (pid == tool_.pid && WIFSTOPPED(status) && !tool_status_) {
      stop_with_tool(WSTOPSIG(status));
    } else if (pid == canary_.pid() && ended) {
      canary_.forget();
      if (!tool_status_) {
        canary_.start();
      }
    } else if (pid == guardian_.pid() && ended) {
      guardian_.forget();
      start_guardian();
    }
  }
}

// The tool stopped, so we stop by the same signal: that is what the shell waits for. By that
// signal, not by SIGSTOP: where nobody could continue us (orphaned group) the kernel discards
// it, and then the tool must not stay stopped either.
void Supervisor::stop_with_tool(int signal) {
  if ((signal == SIGTTIN || signal == SIGTTOU) && is_in_foreground()) {
    // Brought forward between the tool's stop and ours: the shell saw nothing to continue.
    (void)send_signal(tool_, SIGCONT);
    return;
  }
  const auto before = sys::monotonic_time();
  if (stop_self(signal) && canary_.has_seen(SIGCONT)) {
    renew_canary();  // the tool was continued with us
  } else {
    (void)send_signal(tool_, SIGCONT);
  }
  stopped_for_ += sys::monotonic_time() - before;
}

void Supervisor::say(const std::string& line) const {
  if (hooks_.say) {
    hooks_.say(line);
  }
}

}  // namespace onelane::process
