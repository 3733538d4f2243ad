// What reaches a supervisor: signals, and the ends and stops of its children; supervisor.cpp
// holds the run as a whole.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/process/ending.hpp"
#include "core/process/supervisor.hpp"
#include "core/sys/clock.hpp"

namespace onelane::process {
namespace {

/// A bomb that respawns leaves zombies as fast as anybody can reap them.
constexpr milliseconds kLongestReap{50};

/// Signals that the kernel only ever sends to a whole foreground group when it sends them.
bool is_for_the_terminal_group(int signal) noexcept {
  return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP || signal == SIGTTIN ||
         signal == SIGTTOU || signal == SIGWINCH;
}

bool is_stop(int signal) noexcept {
  return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

bool is_ending(int signal) noexcept {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

/// Our group is the foreground group of our terminal.
bool is_in_foreground() noexcept {
  const auto self = sys::read_stat(::getpid());
  return self && self->tty != 0 && self->tty_group == self->group;
}

}  // namespace

void Supervisor::note_ending(int signal) {
  if (is_ending(signal) && !signals_.is_ignored(signal)) {
    outcome_.ending_signal = signal;
  }
}

void Supervisor::note_usage(const struct rusage& usage) {
  const auto ms = [](const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec * 1000 + time.tv_usec / 1000);
  };
  Usage& sum = outcome_.usage;
  sum.cpu_ms += ms(usage.ru_utime) + ms(usage.ru_stime);
  sum.largest_kb = std::max(sum.largest_kb, static_cast<std::uint64_t>(usage.ru_maxrss));
  sum.blocks_in += static_cast<std::uint64_t>(usage.ru_inblock);
  sum.blocks_out += static_cast<std::uint64_t>(usage.ru_oublock);
}

void Supervisor::handle(const Signals::Arrived& arrived) {
  const int signal = arrived.signal;
  if (signal == SIGCHLD) {
    reap();
    return;
  }
  if (arrived.is_order) {
    order_ = std::max(order_, Order::End);
    impatient_ = true;
    traits_.was_cut_short = 1;
    if (hooks_.stop_ordered) {
      hooks_.stop_ordered(arrived);
    }
    return;
  }
  note_ending(signal);
  // Asked first: reap() may stop us with the tool, and then there is a fresh canary.
  const bool is_for_the_group = canary_.has_seen(signal);
  const auto stopped_before = stopped_for_;
  // The tool's end is signal 17 and waits behind a 15 in the queue: look before a signal goes
  // to a tool that has ended.
  reap();
  if (tool_status_) {
    impatient_ = impatient_ || is_ending(signal);
    return;
  }
  if (is_stop(signal) && stopped_for_ != stopped_before) {
    return;  // the SIGCONT since then has discarded it (signal(7))
  }
  const bool before_the_tool = ::sigismember(&missed_, signal) == 1;
  ::sigdelset(&missed_, signal);
  if (before_the_tool) {
    forward(signal);
  } else if (is_for_the_group) {
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
      note_ending(next.signal);
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
  struct rusage usage {};
  has_more_to_reap_ = true;
  const auto until = sys::monotonic_time() + kLongestReap;
  for (unsigned count = 1; count % 64 != 0 || sys::monotonic_time() < until; ++count) {
    const pid_t pid = ::wait4(-1, &status, WNOHANG | WUNTRACED | WCONTINUED, &usage);
    if (pid <= 0) {
      has_more_to_reap_ = false;
      return;
    }
    const bool ended = WIFEXITED(status) || WIFSIGNALED(status);
    if (ended && pid != canary_.pid() && pid != guardian_.pid()) {
      note_usage(usage);
    }
    if (pid == tool_.pid && ended) {
      tool_status_ = status;
    } else if (pid == tool_.pid && WIFSTOPPED(status) && !tool_status_ && !is_ending_) {
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

}  // namespace onelane::process
