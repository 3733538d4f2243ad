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
/// A killer's list of our tree may be that much older than its first signal. What it sends to a
/// run younger than that may have been meant for a tree without the tool: better twice than never.
constexpr milliseconds kOldestList{50};

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
  held_.outdate(signal);
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
  } else {
    pass_on(arrived);
  }
}

void Supervisor::pass_on(const Signals::Arrived& arrived) {
  if (arrived.from_kernel && is_for_the_terminal_group(arrived.signal)) {
    return;
  }
  const auto now = sys::monotonic_time();
  if (canary_.pid() < 0 || knows_no_tree(arrived, parent_)) {
    forward(arrived.signal);
  } else if (now - started_ < kOldestList) {
    forward(arrived.signal);
    held_.expect_echo(arrived.signal, now);
  } else {
    hold(arrived.signal);
  }
}

// The guardian is in a session of its own: a signal that is pending in it went to it by its pid.
void Supervisor::hold(int signal) {
  const auto pending = pending_signals(guardian_.pid());
  if ((pending >> static_cast<unsigned>(signal - 1) & 1U) != 0) {
    guardian_.forget_signals();
  }
  held_.hold(signal, sys::monotonic_time(), pending);
}

void Supervisor::look_at_held() {
  if (tool_status_) {
    held_.clear();
    return;
  }
  const auto in_canary = [&](int signal) { return canary_.has_seen(signal); };
  if (held_.drop_seen(in_canary, pending_signals(guardian_.pid()))) {
    renew_canary();
  }
  for (const int signal : held_.take_due(sys::monotonic_time())) {
    forward(signal);
  }
}

// The canary has got a signal, which stays pending in it until it is renewed. What is in our
// queue after that came either before (then to us alone, unless the canary had it too) or
// after (then it tells). A second one of a kind that
// the group has just got counts as sent to the group: two so close together may merge anyway.
void Supervisor::renew_canary() {
  stale_since_ = {};
  constexpr int kMostRounds = 8;
  bool child_changed = false;
  bool again = true;
  for (int round = 0; again && round < kMostRounds; ++round) {
    canary_.renew();
    held_.drop_seen([&](int signal) { return canary_.previous_has_seen(signal); });
    again = false;
    Signals::Arrived next;
    while (signals_.next(next)) {
      if (next.signal == SIGCHLD) {
        child_changed = true;
        continue;
      }
      if (next.is_order) {
        handle(next);  // takes the order, no more
        continue;
      }
      note_ending(next.signal);
      held_.outdate(next.signal);
      const bool fresh = canary_.has_seen(next.signal);
      again = again || fresh;
      if (!fresh && !canary_.previous_has_seen(next.signal)) {
        pass_on(next);
      }
    }
    canary_.drop_previous();
  }
  if (child_changed) {
    reap();
  }
}

// A killer too slow for us has left its signal in the canary; the next of that kind that comes to
// us alone would be taken for the group's.
void Supervisor::tidy_canary() {
  constexpr std::chrono::seconds kStale{1};
  const auto now = sys::monotonic_time();
  if (pending_signals(canary_.pid()) == 0) {
    stale_since_ = {};
  } else if (stale_since_.count() == 0) {
    stale_since_ = now;
  } else if (now - stale_since_ > kStale) {
    renew_canary();
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
  const bool was_continued = stop_self(signal);
  held_.outdate(SIGCONT);
  if (was_continued && canary_.has_seen(SIGCONT)) {
    renew_canary();  // the tool was continued with us
  } else if (was_continued && canary_.pid() > 0) {
    hold(SIGCONT);
  } else {
    (void)send_signal(tool_, SIGCONT);
  }
  stopped_for_ += sys::monotonic_time() - before;
}

}  // namespace onelane::process
