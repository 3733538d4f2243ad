#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/judgement.hpp"
#include "core/process/signals.hpp"
#include "core/sys/process.hpp"

namespace onelane::process {

/// True for a process that is a lane call: one that passed because it was below the run that
/// holds the lane, and would have waited for it elsewhere. With a `run_id` it must have been that
/// run; without, the caller knows that `id` is below it. Reads /proc.
using LaneCallTest = std::function<bool(const sys::ProcessId& id, std::string_view run_id)>;

/// The lane calls among `root`, which is one of `members`, and those below it; `members` lists
/// parents before children. Empty without a test.
[[nodiscard]] std::vector<sys::ProcessId> lane_calls_below(
    std::span<const sys::ProcessStat> members, const sys::ProcessId& root,
    const LaneCallTest& is_lane_call);

/// All lane calls that were run `run_id`, wherever they are now. Reads every environment.
[[nodiscard]] std::vector<sys::ProcessId> find_lane_calls(std::string_view run_id,
                                                          const LaneCallTest& is_lane_call);

/// What keeping the lane for a run takes whose tool has ended.
struct BackgroundDuty {
  std::string run_id;
  LaneCallTest is_lane_call;
  std::chrono::nanoseconds started{};  ///< sys::monotonic_time() of the launch.
  std::chrono::milliseconds kill_timeout{10'000};
  std::chrono::milliseconds check_interval{5'000};
  Judge* judge = nullptr;  ///< Of those in the background; null for none. Borrowed.
};

/// Lane calls that a run has left in the background, with all that is below them or between them
/// and the run: watched until none of those calls lives, ended where that is ordered
/// (order_stop) or judged. What they leave then is their own business.
///
/// For a process of its own with one thread that has all signals blocked; plain ones are ignored.
class Background {
 public:
  Background(const BackgroundDuty& duty, std::vector<sys::ProcessId> roots);
  /// False when no lane call of the run lives.
  [[nodiscard]] bool lives();
  /// Those that lives() has found.
  [[nodiscard]] const std::vector<sys::ProcessId>& calls() const noexcept { return calls_; }
  /// Blocks until none does.
  void see_through();

 private:
  [[nodiscard]] std::vector<sys::ProcessStat> members();
  void look(std::span<const sys::ProcessStat> members);
  void find_strays();
  void end_all();
  void wait(std::chrono::milliseconds limit);

  const BackgroundDuty& duty_;
  std::vector<sys::ProcessId> roots_;
  std::vector<sys::ProcessId> calls_;  ///< The lane calls seen last.
  Signals signals_;
  Order order_ = Order::GoOn;
  std::chrono::milliseconds pause_{50};
};

}  // namespace onelane::process
