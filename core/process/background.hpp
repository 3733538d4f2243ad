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

/// True for a process that is a lane call: one that passed because it was below the run that holds
/// the lane, and would have waited elsewhere. With a `run_id` it must have been below that run;
/// without, the caller knows that `id` is below the right one. Reads /proc.
using LaneCallTest = std::function<bool(const sys::ProcessId& id, std::string_view run_id)>;

/// The lane calls among `root`, which is one of `members`, and its descendants; `members` lists
/// parents before children. Empty without a test.
[[nodiscard]] std::vector<sys::ProcessId> lane_calls_below(
    std::span<const sys::ProcessStat> members, const sys::ProcessId& root,
    const LaneCallTest& is_lane_call);

/// All lane calls made below run `run_id`, wherever they are now. Reads every environment.
[[nodiscard]] std::vector<sys::ProcessId> find_lane_calls(std::string_view run_id,
                                                          const LaneCallTest& is_lane_call);

/// What is needed to keep the lane for a run whose tool has ended.
struct BackgroundDuty {
  std::string run_id;
  LaneCallTest is_lane_call;
  std::chrono::nanoseconds started{};  ///< sys::monotonic_time() of the launch.
  std::chrono::milliseconds kill_timeout{10'000};
  std::chrono::milliseconds check_interval{5'000};
  Judge* judge = nullptr;  ///< Judges the background processes; null for none. Borrowed.
};

/// Lane calls that a run has left in the background, with every process below them or between them
/// and the run: watched until the last of these calls has ended, and ended early when that is
/// ordered (order_stop) or judged. Processes that they leave behind are not touched.
///
/// For a process of its own with one thread and all signals blocked; ordinary signals are ignored.
class Background {
 public:
  Background(const BackgroundDuty& duty, std::vector<sys::ProcessId> roots);
  /// False when no lane call of the run lives.
  [[nodiscard]] bool lives();
  /// The lane calls found by lives().
  [[nodiscard]] const std::vector<sys::ProcessId>& calls() const noexcept { return calls_; }
  /// Blocks until none is alive.
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
