// What happens after the tool has ended, and the members it is about; supervisor.cpp holds
// the time before.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include "core/process/ending.hpp"
#include "core/process/supervisor.hpp"
#include "core/sys/clock.hpp"

namespace onelane::process {
namespace {

constexpr milliseconds kNoticeAfter{1'000};
/// A shell sends the stdio of its child away before the child becomes nohup or setsid.
constexpr milliseconds kUntilPurposeShows{100};
/// From a shell's fork to the tool behind the shim.
constexpr milliseconds kBecoming{50};

/// We may not signal it: sudo's, say.
bool is_out_of_reach(pid_t pid) noexcept {
  return ::kill(pid, 0) != 0 && errno == EPERM;
}

/// So young a one may still show that it is meant to stay.
bool is_in_the_making(const KeptProcess& process) {
  static const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const milliseconds began{process.id.start * 1000 / ticks};
  return process.sorted == Leftover::Loose && sys::boot_time() - began < kUntilPurposeShows;
}

std::string list_of(const std::vector<sys::ProcessStat>& members) {
  std::string text;
  for (std::size_t i = 0; i < members.size() && i < 3; ++i) {
    text += (i == 0 ? "" : ", ") + sys::command_line(members[i].id.pid, 60) + " (pid " +
            std::to_string(members[i].id.pid) + ")";
  }
  return members.size() > 3 ? text + " and " + std::to_string(members.size() - 3) + " more" : text;
}

}  // namespace

milliseconds Supervisor::until_look() const {
  const auto left = next_look_ - sys::monotonic_time();
  return std::max(milliseconds{0}, std::chrono::ceil<milliseconds>(left));
}

// Often at first, when a tree grows, then with doubling pauses: a tree at rest costs nothing.
void Supervisor::look() {
  if (order_ == Order::Kill) {  // whoever ends the run looks himself, without a pause
    next_look_ = sys::monotonic_time() + run_.check_interval;
    return;
  }
  const auto all = members();
  guardian_.publish(all);
  tidy_canary();
  pause_ = std::min(pause_ * 2, run_.check_interval);
  if (hooks_.judge) {
    const bool has_ended = tool_status_.has_value();
    const auto running = sys::monotonic_time() - started_ - stopped_for_;
    const auto bounded = has_ended ? condemned() : all;
    const Judgement judgement = hooks_.judge({bounded, running, has_ended});
    order_ = std::max(order_, judgement.order);
    spares_kept_ = spares_kept_ && judgement.spares_kept;
    pause_ = std::min(pause_, judgement.next);
    peek_ = hooks_.peek ? judgement.peek : milliseconds{0};
  }
  next_look_ = sys::monotonic_time() + pause_;
}

// What was condemned while the tool ran stays so when the tool has ended. An order to stop spares
// the same with the tool as after it: the one who gave it is told what is left.
std::vector<sys::ProcessStat> Supervisor::condemned() const {
  if (spares_kept_ && (tool_status_ || occasion() == Occasion::Stop)) {
    return sort_members().stragglers;
  }
  auto all = members();
  if (is_ending_) {
    std::erase_if(all, [](const sys::ProcessStat& stat) { return is_out_of_reach(stat.id.pid); });
  }
  return all;
}

std::vector<sys::ProcessStat> Supervisor::members() const {
  std::unordered_set<pid_t> foreign{guardian_.pid(), canary_.pid()};
  std::vector<sys::ProcessStat> out;
  for (const auto& stat : sys::descendants_of(::getpid())) {  // parents come before children
    const bool prior = std::ranges::find(prior_, stat.id) != prior_.end();
    if (prior || foreign.contains(stat.parent) || foreign.contains(stat.id.pid)) {
      foreign.insert(stat.id.pid);
    } else if (!stat.has_ended()) {
      out.push_back(stat);
    }
  }
  return out;
}

Supervisor::Sorted Supervisor::sort_members() const {
  Sorted out;
  std::unordered_set<pid_t> kept;
  std::unordered_set<pid_t> ended;
  const auto all = members();
  for (const auto& stat : all) {
    if (kept.contains(stat.parent)) {
      kept.insert(stat.id.pid);  // what a kept one started is its own business
      continue;
    }
    const Leftover leftover = sort_leftover(stat, traits_, run_.keep);
    if (leftover == Leftover::Gone) {
      continue;
    }
    if (!lives_on(stat, leftover)) {
      out.stragglers.push_back(stat);
      continue;
    }
    const bool out_of_reach = is_ending_ && is_out_of_reach(stat.id.pid);
    const bool may_keep_lane = leftover != Leftover::Listed && leftover != Leftover::Elsewhere;
    const bool keeps_lane = hooks_.in_background && may_keep_lane && !out_of_reach &&
                            !lane_calls_below(all, stat.id, run_.is_lane_call).empty();
    if (ended.contains(stat.parent) || (keeps_lane && order_ != Order::GoOn)) {
      ended.insert(stat.id.pid);  // a part of the run, and that is to end
      out.stragglers.push_back(stat);
      continue;
    }
    kept.insert(stat.id.pid);
    out.kept.push_back({stat.id, sys::command_line(stat.id.pid, 80), leftover, keeps_lane});
  }
  return out;
}

bool Supervisor::lives_on(const sys::ProcessStat& stat, Leftover leftover) const {
  if (stat.id == tool_) {
    return false;  // whatever it is, the run is about it
  }
  if (is_ending_ && is_out_of_reach(stat.id.pid)) {
    return true;
  }
  return is_spared(leftover, run_.wait_for_all && leftover > Leftover::Listed ? Occasion::Everything
                                                                              : occasion());
}

// As a subreaper we are the parent of every orphan, so no other child means no member at all.
bool Supervisor::is_alone() const {
  return std::ranges::all_of(sys::own_children(), [&](pid_t pid) {
    return pid == guardian_.pid() || pid == canary_.pid();
  });
}

void Supervisor::settle() {
  outcome_.tool = tool_.pid;
  outcome_.wait_status = tool_status_.value_or(0);
  Sorted sorted;
  // Who was ended with the tool has had its grace.
  const milliseconds grace = outcome_.ended_by_order ? milliseconds{0} : run_.kill_timeout;
  outcome_.survivors.clear();
  if (!is_alone()) {
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
  finish(sorted.kept);
}

// Sorted again at each step: a daemon may be in the middle of its forks.
Supervisor::Sorted Supervisor::wait_for_leftovers() {
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
    if (sorted.stragglers.empty() && waited < kBecoming && may_become_lane_call(sorted.kept)) {
      pump(milliseconds{2});
      continue;
    }
    const bool is_settled =
        sorted.stragglers.empty() && std::ranges::none_of(sorted.kept, &is_in_the_making);
    if (is_settled || impatient_ || (!run_.wait_for_all && waited >= run_.linger)) {
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

// The order is the point: the record is cleared while the locks are held, the guardian is told
// before they go, so at no moment can both be gone with the record still open unnoticed.
void Supervisor::finish(std::vector<KeptProcess> kept) {
  if (!outcome_.survivors.empty()) {
    say(run_.name + ": still there after SIGKILL: " + list_of(outcome_.survivors));
  }
  outcome_.kept = kept;
  if (hooks_.goes_on && hooks_.goes_on(outcome_)) {
    say_kept(kept);
    guardian_.settled();
    guardian_.reap();
    return;
  }
  const bool is_handed_over = hand_over(kept);
  outcome_.kept = kept;
  say_kept(kept);
  if (is_handed_over) {
    return;
  }
  if (hooks_.settled) {
    hooks_.settled(kept);
  }
  guardian_.settled();
  if (hooks_.release) {
    hooks_.release();
  }
  guardian_.reap();
}

}  // namespace onelane::process
