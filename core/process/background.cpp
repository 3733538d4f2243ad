#include "core/process/background.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_set>

#include "core/process/ending.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::process {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostPolled = 32;  ///< Lane calls whose end is noticed at once.

}  // namespace

std::vector<sys::ProcessId> lane_calls_below(std::span<const sys::ProcessStat> members,
                                             const sys::ProcessId& root,
                                             const LaneCallTest& is_lane_call) {
  std::vector<sys::ProcessId> out;
  if (!is_lane_call) {
    return out;
  }
  std::unordered_set<pid_t> below{root.pid};
  for (const sys::ProcessStat& stat : members) {
    if (stat.id == root || below.contains(stat.parent)) {
      below.insert(stat.id.pid);
      if (is_lane_call(stat.id, {})) {
        out.push_back(stat.id);
      }
    }
  }
  return out;
}

std::vector<sys::ProcessId> find_lane_calls(std::string_view run_id,
                                            const LaneCallTest& is_lane_call) {
  std::vector<sys::ProcessId> out;
  for (const pid_t pid : sys::all_pids()) {
    const auto stat = sys::read_stat(pid);
    if (stat && !stat->has_ended() && is_lane_call(stat->id, run_id)) {
      out.push_back(stat->id);
    }
  }
  return out;
}

Background::Background(const BackgroundDuty& duty, std::vector<sys::ProcessId> roots)
    : duty_{duty}, roots_{std::move(roots)} {}

std::vector<sys::ProcessStat> Background::members() {
  std::erase_if(roots_, [](const sys::ProcessId& id) { return !sys::exists(id); });
  std::vector<sys::ProcessStat> out;
  std::unordered_set<pid_t> seen;
  for (const sys::ProcessId& root : roots_) {
    const auto stat = sys::read_stat(root.pid);
    if (stat && stat->id == root && !stat->has_ended() && seen.insert(root.pid).second) {
      out.push_back(*stat);
    }
    for (const sys::ProcessStat& below : sys::descendants_of(root.pid)) {
      if (!below.has_ended() && seen.insert(below.id.pid).second) {
        out.push_back(below);
      }
    }
  }
  return out;
}

// A process whose parent ended between two looks is no longer below any root; a lane call is
// recognised by its environment.
void Background::find_strays() {
  for (const sys::ProcessId& id : find_lane_calls(duty_.run_id, duty_.is_lane_call)) {
    if (std::ranges::find(roots_, id) == roots_.end()) {
      roots_.push_back(id);
    }
  }
}

bool Background::lives() {
  for (const bool is_second : {false, true}) {
    if (is_second) {
      find_strays();
    }
    calls_.clear();
    for (const sys::ProcessStat& stat : members()) {
      if (duty_.is_lane_call(stat.id, {})) {
        calls_.push_back(stat.id);
      }
    }
    if (!calls_.empty()) {
      return true;
    }
  }
  return false;
}

void Background::see_through() {
  int empty_looks = 0;  // a process between fork and exec at the first look is a call at the second
  while (empty_looks < 2) {
    empty_looks = lives() ? 0 : empty_looks + 1;
    if (empty_looks > 0) {
      wait(milliseconds{2});
      continue;
    }
    look(members());
    if (order_ != Order::GoOn) {
      end_all();
      return;
    }
    wait(pause_);
    pause_ = std::min(pause_ * 2, duty_.check_interval);
  }
}

void Background::look(std::span<const sys::ProcessStat> members) {
  if (duty_.judge == nullptr) {
    return;
  }
  const Judgement judgement =
      duty_.judge->judge({members, sys::monotonic_time() - duty_.started, false});
  order_ = std::max(order_, judgement.order);
  pause_ = std::min(pause_, judgement.next);
}

void Background::end_all() {
  Ending ending;
  ending.grace = duty_.kill_timeout;
  ending.members = [this] {
    find_strays();
    auto all = members();
    if (order_ != Order::Kill) {
      look(all);
    }
    return all;
  };
  ending.hurry = [this] { return order_ == Order::Kill; };
  ending.wait = [this](milliseconds limit) {
    calls_.clear();  // poll(2) would report the ended ones again and again
    wait(limit);
    return true;
  };
  (void)end_members(ending);
}

void Background::wait(milliseconds limit) {
  std::vector<sys::FileDescriptor> pidfds;
  std::vector<pollfd> polled{{signals_.fd(), POLLIN, 0}};
  for (std::size_t i = 0; i < calls_.size() && i < kMostPolled; ++i) {
    pidfds.push_back(sys::lift(static_cast<int>(::syscall(SYS_pidfd_open, calls_[i].pid, 0))));
    polled.push_back({pidfds.back().get(), POLLIN, 0});
  }
  (void)::poll(polled.data(), polled.size(), static_cast<int>(limit.count()));
  Signals::Arrived arrived;
  while (signals_.next(arrived)) {
    if (arrived.is_order) {
      order_ = std::max(order_, Order::End);
      if (duty_.judge != nullptr) {
        duty_.judge->note_stop(arrived);
      }
    }
  }
}

}  // namespace onelane::process
