#pragma once

#include <chrono>
#include <span>

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

/// The word of whoever bounds a run.
struct Judgement {
  Order order = Order::GoOn;
  bool spares_kept = true;  ///< What is kept lives on once the tool has ended.
  /// Latest moment of the next look; the supervisor's own, doubling pauses still apply.
  std::chrono::milliseconds next{5'000};
  /// How often to peek in between; 0 for never.
  std::chrono::milliseconds peek{0};
};

}  // namespace onelane::process
