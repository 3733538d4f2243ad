#include "multicall/shim/background_run.hpp"

#include <algorithm>

#include "core/sys/clock.hpp"
#include "multicall/context/lane_call.hpp"
#include "multicall/shim/attempt.hpp"
#include "multicall/shim/pause.hpp"
#include "multicall/term/say.hpp"

namespace onelane::multicall {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{2};
constexpr milliseconds kLongestPause{1'000};

}  // namespace

Watch& BackgroundRun::watch() {
  if (!watch_) {
    watch_.emplace(plan_, run_id_);
  }
  return *watch_;
}

void BackgroundRun::add_to(process::Hooks& hooks, lane::Ticket& ticket,
                           std::vector<lane::Kept>& kept) {
  hooks.settled = [this, &ticket, &kept](const auto& left) {
    add_kept(kept, left, run_id_);
    ticket.close_record(kept);
  };
  hooks.release = [&ticket] { ticket.release(); };
  hooks.in_background = [this, &ticket, &kept](const auto& left, const sys::ProcessId& keeper) {
    std::vector<lane::Kept> all = kept;
    add_kept(all, left, run_id_);
    return ticket.go_on_in_background(all, keeper);
  };
  hooks.handed_over = [&ticket] { ticket.hand_over(); };
  hooks.judge_background = [this](const process::Scene& scene) { return watch().judge(scene); };
  hooks.background_stop_ordered = [this](const auto& order) { watch().note_stop(order); };
  hooks.after_background = [this, &ticket] {
    watch().finish();
    ticket.close_record({});
  };
}

BackgroundWait wait_for_background_of(const lane::LastRun& last, const Plan& plan,
                                      const process::Signals& signals) {
  const std::string id{lane::view(last.run_id)};
  const auto is_lane_call = lane_call_test(plan.lane_dir);
  const auto limit = plan.settings.queue_timeout.value;
  const auto since = sys::monotonic_time();
  for (milliseconds wait = kFirstPause;; wait = std::min(wait * 2, kLongestPause)) {
    const auto calls = last.pid_namespace == sys::pid_namespace()
                           ? process::find_lane_calls(id, is_lane_call)
                           : std::vector<sys::ProcessId>{};
    if (calls.empty()) {
      return {};
    }
    const pid_t pid = calls.front().pid;
    const std::string words = "run " + id + " was killed and has left " +
                              sys::command_line(pid, 80) + " (pid " + std::to_string(pid) +
                              ") in the background";
    if (plan.no_wait || (limit.count() > 0 && sys::monotonic_time() - since >= limit)) {
      return {false, 0, words + "; not waiting for it any longer"};
    }
    if (wait == kFirstPause) {
      say(words + "; waiting for it");
    }
    if (const int signal = multicall::pause(signals, wait)) {
      return {false, signal, {}};
    }
  }
}

}  // namespace onelane::multicall
