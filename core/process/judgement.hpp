#pragma once

#include <chrono>
#include <span>
#include <string>

#include "core/process/signals.hpp"
#include "core/sys/process.hpp"

namespace onelane::process {

/// How a run stands when it is judged.
struct Scene {
  /// Those the limits apply to: every member while the tool runs, then the stragglers.
  std::span<const sys::ProcessStat> members;
  std::chrono::nanoseconds running{};  ///< Since the launch, without the time the job was stopped.
  bool tool_has_ended = false;
};

/// What becomes of a run, in rising order.
enum class Order {
  GoOn,
  End,   ///< TERM, and KILL after the grace.
  Kill,  ///< KILL at once; also hurries an ending that has begun.
};

/// What a Judge decides at a look.
struct Judgement {
  Order order = Order::GoOn;
  bool spares_kept = true;  ///< What is kept lives on once the tool has ended.
  /// Latest moment of the next look; the supervisor's own, doubling pauses still apply.
  std::chrono::milliseconds next{5'000};
  /// How often to peek in between; 0 for never.
  std::chrono::milliseconds peek{0};
};

/// Bounds a run and speaks for it. Called by the process that looks after the run, while nothing
/// else of it moves on; must not block.
class Judge {
 public:
  virtual ~Judge() = default;
  /// At each look at the members.
  [[nodiscard]] virtual Judgement judge(const Scene& scene) noexcept = 0;
  /// A cheap question between two looks (Judgement::peek): true when a look is due.
  [[nodiscard]] virtual bool peek() noexcept { return false; }
  /// The run was ordered to stop (order_stop).
  virtual void note_stop(const Signals::Arrived& order) noexcept = 0;
  /// One line for people, without prefix and newline.
  virtual void say(const std::string& line) noexcept = 0;
};

}  // namespace onelane::process
