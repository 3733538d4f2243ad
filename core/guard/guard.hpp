#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/guard/limits.hpp"
#include "core/guard/measure.hpp"

namespace onelane::guard {

/// A limit that was crossed, and the use at that moment.
struct Breach {
  sys::Reason reason = sys::Reason::Timeout;
  std::uint64_t used = 0;   ///< In the unit of the limit.
  std::uint64_t limit = 0;  ///< In the same unit.
  sys::ProcessId process;   ///< The process over its limit; pid 0 for a limit on all of them.
  std::chrono::nanoseconds running{};
};

/// Use has reached half of a limit, or all of one that only warns.
struct Warning {
  sys::Reason reason = sys::Reason::Memory;
  std::uint64_t used = 0;
  std::uint64_t limit = 0;
  sys::ProcessId process;
  double per_second = 0;  ///< Growth in bytes; 0 when use does not grow or is not memory.
};

/// What to do after a sample.
struct Ruling {
  enum class Order { GoOn, End, Kill } order = Order::GoOn;
  std::optional<Breach> breach;  ///< Set once, at the first breach.
  std::vector<Warning> warnings;
  std::chrono::milliseconds next{5'000};
  std::chrono::milliseconds peek{0};
};

/// Use over the whole run: at most 64 equally spaced points.
class Curve {
 public:
  void add(std::chrono::nanoseconds running, std::uint64_t bytes);
  [[nodiscard]] const std::vector<std::uint64_t>& points() const noexcept { return points_; }
  [[nodiscard]] std::chrono::milliseconds step() const noexcept { return step_; }

 private:
  static constexpr std::size_t kMost = 64;
  std::vector<std::uint64_t> points_;
  std::chrono::milliseconds step_{50};
};

/// Decides, sample by sample, whether a run keeps within its limits. Reads nothing itself.
///
/// The first breach orders an end (TERM first); memory or a process count that keeps growing after
/// that, or reaches 110 %, orders a kill. One object per run, one thread.
class Guard {
 public:
  /// `before` is the time of earlier attempts of the run; only the pipeline's limit counts it.
  explicit Guard(const Limits& limits, std::chrono::nanoseconds before = {})
      : limits_{limits}, before_{before} {}

  /// `running` is the time since the launch, minus the time the job was stopped. `takes_most` is
  /// called when the machine runs short of memory: is this run the largest?
  [[nodiscard]] Ruling judge(const Sample& sample, std::chrono::nanoseconds running,
                             const std::function<bool()>& takes_most);

  [[nodiscard]] const Curve& curve() const noexcept { return curve_; }
  [[nodiscard]] std::uint64_t peak_tree() const noexcept { return peak_tree_; }
  [[nodiscard]] std::uint64_t peak_process() const noexcept { return peak_process_; }
  [[nodiscard]] std::size_t peak_count() const noexcept { return peak_count_; }
  [[nodiscard]] const std::optional<Breach>& breach() const noexcept { return breach_; }

 private:
  [[nodiscard]] std::optional<Breach> find_breach(const Moment& now,
                                                  const std::function<bool()>& takes_most);
  [[nodiscard]] bool falls_short(const Moment& now, std::uint64_t left, std::uint64_t floor,
                                 const std::function<bool()>& takes_most);
  [[nodiscard]] bool must_kill(const Moment& now) const;
  void note_activity(const Sample& sample);
  [[nodiscard]] bool must_warn(const LimitRow& row, std::uint64_t used);
  void warn(const Moment& now, Ruling& ruling);
  void pace(const Moment& now, Ruling& ruling) const;
  [[nodiscard]] double slope(std::uint64_t bytes, std::chrono::nanoseconds at) const;

  const Limits& limits_;
  std::chrono::nanoseconds before_;
  Curve curve_;
  std::optional<Breach> breach_;
  std::array<bool, sys::kReasonWords.size()> warned_{};  ///< One flag per limit.
  std::chrono::nanoseconds running_{};
  std::chrono::nanoseconds idle_since_{};
  std::uint64_t activity_ = 0;
  std::chrono::nanoseconds last_at_{};
  std::uint64_t last_bytes_ = 0;
  unsigned short_of_memory_ = 0;  ///< Consecutive samples below the reserve.
  std::uint64_t peak_tree_ = 0;
  std::uint64_t peak_process_ = 0;
  std::size_t peak_count_ = 0;
};

/// True when no other run on this machine uses more memory than the calling supervisor's: when
/// memory runs short, the largest run is ended. Other supervisors are recognised by their
/// executable; resident sizes are summed over all descendants. Scans /proc: for emergencies only.
[[nodiscard]] bool is_largest_run();

}  // namespace onelane::guard
