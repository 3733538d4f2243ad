#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/guard/limits.hpp"
#include "core/sys/memory.hpp"
#include "core/sys/process.hpp"

namespace onelane::guard {

/// Memory of one process in bytes: anonymous, shared and swapped.
struct ProcessUse {
  sys::ProcessId id;
  pid_t parent = 0;
  std::uint64_t bytes = 0;
};

/// A run at one moment.
struct Sample {
  std::chrono::nanoseconds at{};  ///< Monotonic time.
  std::vector<ProcessUse> processes;
  std::uint64_t bytes = 0;     ///< Of all processes; shared memory counts once when near a limit.
  std::uint64_t activity = 0;  ///< Changes when any process computes, reads or writes.
  sys::MachineMemory machine;
  std::uint64_t machine_tasks = 0;
};

/// A run at the moment it is judged: the input for the `used` of each limit.
struct Moment {
  const Sample& sample;
  const ProcessUse& largest;           ///< By memory; pid 0 when there is no process.
  std::chrono::nanoseconds running{};  ///< Without the time the job was stopped.
  std::chrono::nanoseconds with_earlier_attempts{};
  std::chrono::nanoseconds idle{};  ///< Since a process last computed, read or wrote.
};

/// Measures the members of a run, as cheaply as the limits allow.
/// Three steps, each only for processes that the previous one could not clear: the resident size,
/// which is read with every member anyway and is never too small; anonymous and shared memory
/// without mapped files, cached while the resident size stays the same; and, close to a limit, the
/// proportional size, which counts memory shared by forks once. RSS sums alone are wrong by
/// factors: five forks of one 600 MB heap add up to 3 GB.
///
/// One object per run, one thread; blocks only while it reads /proc.
class Measure {
 public:
  explicit Measure(const Limits& limits) : limits_{limits} {}

  [[nodiscard]] Sample take(std::span<const sys::ProcessStat> members);
  /// True when the machine has lost so much memory, or gained so many tasks, since the last sample
  /// that the run may have grown: take a new sample. Two small reads.
  [[nodiscard]] bool has_machine_changed() const;
  /// Memory charged to the run's own control group: a lower bound that includes files on tmpfs.
  void use_charge(std::function<std::optional<std::uint64_t>()> charge) {
    charge_ = std::move(charge);
  }

 private:
  struct Known {
    std::uint64_t start = 0;
    std::uint64_t resident = 0;  ///< When `bytes` was updated.
    std::uint64_t bytes = 0;
    double shared = 1.0;  ///< Proportional size over `bytes`.
    std::chrono::nanoseconds read_at{};
    unsigned seen = 0;
  };

  [[nodiscard]] std::uint64_t estimate(const sys::ProcessStat& member);
  void refine(Sample& sample);
  void refine(ProcessUse& process);
  static void drop_the_gone(Sample& sample);
  /// True at `percent` of a memory limit or more.
  [[nodiscard]] bool is_over(const Sample& sample, unsigned percent) const;
  [[nodiscard]] bool must_refine(const Sample& sample, std::uint64_t unshared) const;
  void forget_the_gone();

  const Limits& limits_;
  std::function<std::optional<std::uint64_t>()> charge_;
  std::unordered_map<pid_t, Known> known_;
  unsigned round_ = 0;
  std::chrono::nanoseconds now_{};
  std::chrono::nanoseconds next_refine_{};
  std::uint64_t available_when_refined_ = 0;
  bool was_close_ = false;  ///< The last sample was close to a limit, and was refined.
  std::uint64_t headroom_ = 0;
  std::uint64_t available_ = 0;
  std::uint64_t tasks_ = 0;
};

}  // namespace onelane::guard
