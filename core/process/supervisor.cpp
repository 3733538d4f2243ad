#include "core/process/supervisor.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "core/process/ending.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/ending_signal.hpp"
#include "core/sys/error.hpp"

namespace onelane::process {
namespace {

/// If a poll ends this much later than its timeout, with a SIGCONT, we were stopped.
constexpr milliseconds kStoppedFor{100};
constexpr milliseconds kNoticeAfter{1'000};
/// A shell redirects the stdio of its child before the child becomes nohup or setsid.
constexpr milliseconds kUntilPurposeShows{100};
/// Time from a shell's fork to the tool behind the shim.
constexpr milliseconds kBecoming{50};
/// A bomb that respawns leaves zombies as fast as they can be reaped.
constexpr milliseconds kLongestReap{50};
/// A killer's list of our tree may be this much older than its first signal. A signal to a younger
/// run may be from a list without the tool: better to deliver it twice than never.
constexpr milliseconds kOldestList{50};

/// Closes our copies of the caller's descriptors, so that pipes end as if we did not exist. Keeps
/// standard error for notices.
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

/// Next to a bomb of hundreds a look would get a hundredth of a processor, whatever our nice value:
/// each session gets as much as ours (sched(7), autogroup). So raise our priority; children do not
/// inherit it.
void come_first() noexcept {
  const sched_param lowest{1};
  ::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest);
}

/// Signals that the kernel, when it is the sender, always sends to a whole foreground group.
bool is_for_the_terminal_group(int signal) noexcept {
  return signal == SIGINT || signal == SIGQUIT || signal == SIGTSTP || signal == SIGTTIN ||
         signal == SIGTTOU || signal == SIGWINCH;
}

bool is_stop(int signal) noexcept {
  return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/// True when our group is the foreground group of our terminal.
bool is_in_foreground() noexcept {
  const auto self = sys::read_stat(::getpid());
  return self && self->tty != 0 && self->tty_group == self->group;
}

/// True for a process so young that it may still show that it is meant to stay.
bool is_in_the_making(const KeptProcess& process) {
  static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const milliseconds began{process.id.start * 1000 / ticks};
  return process.sorted == Leftover::Loose && sys::boot_time() - began < kUntilPurposeShows;
}

/// How to end a process that only its stdio marks as kept, and how to mark it properly.
std::string remark_on(const KeptProcess& process, const std::string& run_id) {
  if (process.sorted != Leftover::Loose) {
    return {};
  }
  return (run_id.empty() ? "" : "; `onelane stop " + run_id + "` ends it") +
         "; to keep it, start it with nohup or setsid, or list it in KEEP";
}

}  // namespace

Supervisor::Supervisor(const Run& run, const Signals& signals, Judge& judge)
    : run_{run}, signals_{signals}, judge_{judge}, members_{run}, parent_{::getppid()} {
  // Before the tool: a killer that goes through a list of our tree must not come to it first.
  canary_.start();
  ::sigpending(&missed_);
}

int Supervisor::launch(const Command& command) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const Launched launched = process::launch(command, signals_);
  if (launched.error != 0) {
    if (launched.pid < 0) {
      throw sys::SystemError{launched.error, "start", "a process"};
    }
    ::waitpid(launched.pid, nullptr, 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);  // the attribute would survive an execve(2) of ours
    return launched.error;
  }
  started_ = sys::monotonic_time();
  next_look_ = started_ + pause_;
  awake_ = started_;
  tool_ = {launched.pid, 0};
  if (!run_.may_go_on) {
    drop_caller_descriptors();
  }
  return 0;
}

bool Supervisor::outlives(milliseconds span) noexcept {
  next_look_ = std::chrono::nanoseconds::max();  // none at a run that is over before the first
  pump(span);
  next_look_ = started_ + pause_;
  if (tool_status_) {
    return false;
  }
  identify_tool();
  come_first();
  return true;
}

void Supervisor::start_guardian() noexcept {
  Duty duty;
  duty.run_id = run_.run_id;
  duty.traits = run_.traits;
  duty.traits.was_cut_short = 1;
  duty.keep = run_.keep;
  duty.kill_timeout = run_.kill_timeout;
  duty.lane = run_.lane;
  duty.background = {run_.run_id,       run_.is_lane_call,   started_,
                     run_.kill_timeout, run_.check_interval, run_.lane.judge};
  guardian_.start(duty);
  if (guardian_.pid() < 0 && !said_unguarded_) {
    said_unguarded_ = true;
    say(std::string{"no guardian can be started ("} + std::strerror(errno) +
        "); if this onelane is killed, what " + run_.name + " leaves is ended by the next call");
  }
}

void Supervisor::wait() noexcept {
  while (!tool_status_) {
    if (order_ != Order::GoOn && !outcome_.ended_by_order) {
      end_by_order();
    } else {
      pump(until_look());
    }
  }
  canary_.dismiss();
}

void Supervisor::end_by_order() {
  outcome_.ended_by_order = true;
  is_ending_ = true;
  // The tool first and alone: most tools end their own children in order.
  forward(run_.kill_signal);
  forward(SIGCONT);
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
    order_ = Order::Kill;  // there is nothing left to judge
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
        stopped_for_ += late;  // a SIGSTOP to the whole group stopped us as well
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
  if (until_look().count() == 0 || is_woken || (may_peek && judge_.peek())) {
    look();
  }
}

milliseconds Supervisor::until_look() const {
  const auto left = next_look_ - sys::monotonic_time();
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(left));
}

// Often at first, while a tree grows, then with doubling pauses: a tree at rest costs nothing.
void Supervisor::look() {
  if (order_ == Order::Kill) {  // the ending scans by itself, without a pause
    next_look_ = sys::monotonic_time() + run_.check_interval;
    return;
  }
  const auto all = members();
  guardian_.publish(all);
  tidy_canary();
  pause_ = std::min(pause_ * 2, run_.check_interval);
  const bool has_ended = tool_status_.has_value();
  const auto running = sys::monotonic_time() - started_ - stopped_for_;
  const auto bounded = has_ended ? condemned() : all;
  const Judgement judgement = judge_.judge({bounded, running, has_ended});
  order_ = std::max(order_, judgement.order);
  spares_kept_ = spares_kept_ && judgement.spares_kept;
  pause_ = std::min(pause_, judgement.next);
  peek_ = judgement.peek;
  next_look_ = sys::monotonic_time() + pause_;
}

void Supervisor::handle(const Signals::Arrived& arrived) {
  const int signal = arrived.signal;
  if (signal == SIGCHLD) {
    reap();
    return;
  }
  if (arrived.is_order) {
    order_ = std::max(order_, Order::End);
    is_impatient_ = true;
    members_.note_cut_short();
    judge_.note_stop(arrived);
    return;
  }
  note_ending(signal);
  held_.outdate(signal);
  // Asked first: reap() may stop us with the tool, and then there is a new canary.
  const bool is_for_the_group = canary_.has_seen(signal);
  const auto stopped_before = stopped_for_;
  // SIGCHLD for the tool's end is number 17 and queues behind 15: reap before a signal is sent to a
  // tool that has ended.
  reap();
  if (tool_status_) {
    is_impatient_ = is_impatient_ || sys::is_ending_signal(signal);
    return;
  }
  if (is_stop(signal) && stopped_for_ != stopped_before) {
    return;  // a later SIGCONT has discarded it (signal(7))
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

void Supervisor::note_ending(int signal) {
  if (sys::is_ending_signal(signal) && !signals_.is_ignored(signal)) {
    outcome_.ending_signal = signal;
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

// The guardian is in a session of its own: a signal pending in it was sent to its pid.
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

// The canary has received a signal, which stays pending in it until it is renewed. A signal read
// from our queue after that either came before (then to us alone, unless the canary had it too) or
// after (then the canary tells). A second signal of the kind that the group has just received
// counts as sent to the group: two so close together may merge anyway.
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
        handle(next);  // only records the order
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

// A killer slower than our wait has left its signal in the canary; the next signal of that kind to
// us alone would be mistaken for the group's.
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

// A short run ends before anything asks when it started, which takes a read of /proc.
void Supervisor::identify_tool() {
  const auto stat = tool_.start == 0 && !tool_status_ ? sys::read_stat(tool_.pid) : std::nullopt;
  if (stat) {
    tool_ = stat->id;
    members_.set_tool(tool_);
  }
}

void Supervisor::forward(int signal) {
  identify_tool();
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
      outcome_.usage.add(usage);
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

// The tool stopped, so we stop by the same signal, which is what the shell waits for. Not by
// SIGSTOP: when no process could continue us (orphaned group) the kernel discards the tool's
// signal, and then the tool must not stay stopped either.
void Supervisor::stop_with_tool(int signal) {
  if ((signal == SIGTTIN || signal == SIGTTOU) && is_in_foreground()) {
    // It came to the foreground between the tool's stop and ours, so the shell saw no stopped job
    // to continue.
    forward(SIGCONT);
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
    forward(SIGCONT);
  }
  stopped_for_ += sys::monotonic_time() - before;
}

std::vector<sys::ProcessStat> Supervisor::members() {
  members_.set_helpers({guardian_.pid(), canary_.pid()});
  return members_.all();
}

Sorted Supervisor::sort_members() {
  members_.set_helpers({guardian_.pid(), canary_.pid()});
  return members_.sort({order_ != Order::GoOn, is_ending_});
}

// Processes condemned while the tool ran stay condemned when it has ended. An order to stop spares
// the same processes with the tool as after it: the user who gave it is told what is left.
std::vector<sys::ProcessStat> Supervisor::condemned() {
  if (spares_kept_ && (tool_status_ || members_.was_cut_short())) {
    return sort_members().stragglers;
  }
  auto all = members();
  if (is_ending_) {
    std::erase_if(all, [](const sys::ProcessStat& stat) { return is_out_of_reach(stat.id.pid); });
  }
  return all;
}

const Outcome& Supervisor::settle() noexcept {
  outcome_.tool = tool_.pid;
  outcome_.wait_status = tool_status_.value_or(0);
  Sorted sorted;
  // Processes ended with the tool have had their grace.
  const milliseconds grace = outcome_.ended_by_order ? milliseconds{0} : run_.kill_timeout;
  outcome_.survivors.clear();
  members_.set_helpers({guardian_.pid(), canary_.pid()});
  if (!members_.are_gone()) {
    if (guardian_.pid() < 0) {
      start_guardian();
    }
    sorted = wait_for_leftovers();
    is_ending_ = true;
    sorted = sort_members();
    if (!sorted.stragglers.empty()) {
      end_stragglers(sorted.stragglers, grace);
      sorted = sort_members();
    }
  }
  if (!outcome_.survivors.empty()) {
    say(run_.name + ": still there after SIGKILL: " + list_of(outcome_.survivors));
  }
  outcome_.kept = std::move(sorted.kept);
  return outcome_;
}

// Sorts again at each step: a daemon may be in the middle of its forks.
Sorted Supervisor::wait_for_leftovers() {
  const auto ended = sys::monotonic_time();
  milliseconds pause{5};
  bool said = false;
  for (;;) {
    Sorted sorted = sort_members();
    const auto waited = sys::monotonic_time() - ended;
    if (order_ != Order::GoOn && !sorted.stragglers.empty()) {
      outcome_.ended_by_order = true;
      return sorted;
    }
    if (sorted.stragglers.empty() && waited < kBecoming &&
        members_.may_become_lane_call(sorted.kept)) {
      pump(milliseconds{2});
      continue;
    }
    const bool is_settled =
        sorted.stragglers.empty() && std::ranges::none_of(sorted.kept, &is_in_the_making);
    if (is_settled || is_impatient_ || (!run_.wait_for_all && waited >= run_.linger)) {
      return sorted;
    }
    if (!said && waited >= kNoticeAfter) {
      said = true;
      say(run_.name + " has ended; waiting for " +
          (run_.wait_for_all ? "all that it has started: " : "") + list_of(sorted.stragglers));
    }
    pump(pause);
    pause = std::min(pause * 2, milliseconds{100});
  }
}

void Supervisor::end_stragglers(const std::vector<sys::ProcessStat>& stragglers,
                                milliseconds grace) {
  if (order_ == Order::GoOn) {
    say(run_.name + " left " + list_of(stragglers) + " behind; ending it");
  }
  Ending ending;
  ending.grace = grace;
  ending.members = [this] { return condemned(); };
  ending.hurry = [this] { return order_ == Order::Kill; };
  ending.wait = [this](milliseconds limit) {
    pump(limit);
    return true;
  };
  const Ended ended = end_members(ending);
  outcome_.survivors = ended.left;
  outcome_.ended_leftovers += ended.signalled;
}

void Supervisor::stand_down() noexcept {
  say_kept();
  guardian_.settled();
  guardian_.reap();
}

void Supervisor::say_kept() const noexcept {
  for (const KeptProcess& process : outcome_.kept) {
    const std::string words = process.command + " (pid " + std::to_string(process.id.pid) + ")";
    if (process.is_background) {
      say(run_.name + " left " + words + " in the background; the lane is kept until it has ended");
    } else if (process.sorted != Leftover::Listed) {
      say(run_.name + " left running: " + words + remark_on(process, run_.run_id));
    }
  }
}

bool Supervisor::may_have_background() const noexcept {
  return run_.is_lane_call && std::ranges::any_of(outcome_.kept, [](const KeptProcess& process) {
           return process.sorted != Leftover::Listed;
         });
}

bool Supervisor::has_background() noexcept {
  outcome_.kept = sort_members().kept;
  return std::ranges::any_of(outcome_.kept, &KeptProcess::is_background);
}

std::optional<sys::ProcessId> Supervisor::guardian_for_background() noexcept {
  if (guardian_.pid() < 0) {
    start_guardian();
  }
  const auto guardian = sys::read_stat(guardian_.pid());
  if (!guardian || guardian->has_ended()) {
    guardian_.reap();
    return std::nullopt;
  }
  std::vector<sys::ProcessId> roots;
  for (const KeptProcess& process : outcome_.kept) {
    if (process.is_background) {
      roots.push_back(process.id);
    }
  }
  guardian_.publish(std::span<const sys::ProcessId>{roots});
  return guardian->id;
}

void Supervisor::drop_background() noexcept {
  std::ranges::for_each(outcome_.kept, [](KeptProcess& process) { process.is_background = false; });
}

}  // namespace onelane::process
