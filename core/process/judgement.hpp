#pragma once

#include <chrono>
#include <span>
#include <string>

#include "core/process/signals.hpp"
#include "core/sys/process.hpp"

namespace onelane::process {

/// The state of a run when it is judged.
struct Scene {
  /// The processes that limits apply to: every member while the tool runs, then the stragglers.
  std::span<const sys::ProcessStat> members;
  std::chrono::nanoseconds running{};  ///< Since the launch, without the time the job was stopped.
  bool tool_has_ended = false;
};

/// What to do with a run, in rising order.
enum class Order {
  GoOn,
  End,   ///< TERM, and KILL after the grace.
  Kill,  ///< KILL at once; also hurries an ending that has begun.
};

/// What a Judge decides at a look.
struct Judgement {
  Order order = Order::GoOn;
  bool spares_kept = true;  ///< Kept processes live on once the tool has ended.
  /// When the next look is due at the latest; the supervisor's own, doubling pauses still apply.
  std::chrono::milliseconds next{5'000};
  /// How often to peek in between; 0 for never.
  std::chrono::milliseconds peek{0};
};

/// Applies limits to a run and reports on it. Called by the process that looks after the run, which
/// does nothing else meanwhile; must not block.
class Judge {
 public:
  virtual ~Judge() = default;
  /// Called at each look at the members.
  [[nodiscard]] virtual Judgement judge(const Scene& scene) noexcept = 0;
  /// A cheap question between two looks (Judgement::peek): true when a look is due.
  [[nodiscard]] virtual bool peek() noexcept { return false; }
  /// Called when the run was ordered to stop (order_stop).
  virtual void note_stop(const Signals::Arrived& order) noexcept = 0;
  /// Prints one line for the user; the line has no prefix and no newline.
  virtual void say(const std::string& line) noexcept = 0;
};

}  // namespace onelane::process
