#include "core/guard/measure.hpp"

#include <algorithm>
#include <numeric>

#include "core/sys/clock.hpp"

namespace onelane::guard {
namespace {

using namespace std::chrono_literals;
using sys::Reason;

constexpr std::uint64_t kMegabyte = std::uint64_t{1} << 20U;
/// Too small to refine: a hundred of these are no more than one test runner.
constexpr std::uint64_t kSmall = 16 * kMegabyte;
constexpr auto kRemembered = 10s;
/// A refinement may take a hundredth of one processor, and runs at most once a second.
constexpr int kRefineShare = 100;
/// From this percentage of a limit on, shared memory is counted exactly: warnings depend on it.
constexpr unsigned kClose = 50;

std::uint64_t sum_of(const std::vector<ProcessUse>& processes) {
  return std::accumulate(processes.begin(), processes.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const ProcessUse& p) { return sum + p.bytes; });
}

std::uint64_t largest_of(const std::vector<ProcessUse>& processes) {
  const auto found = std::ranges::max_element(processes, {}, &ProcessUse::bytes);
  return found == processes.end() ? 0 : found->bytes;
}

bool reaches(std::uint64_t bytes, std::uint64_t limit, unsigned percent) {
  return limit != 0 && bytes >= limit / 100 * percent;
}

/// Its memory has been freed, or the pid belongs to another process.
bool is_gone(const sys::ProcessId& id) noexcept {
  const auto stat = sys::read_stat(id.pid);
  return !stat || stat->id != id || stat->has_ended() || stat->resident == 0;
}

std::uint64_t distance(std::uint64_t bytes, std::uint64_t limit) {
  return limit == 0 ? ~std::uint64_t{0} : limit - std::min(limit, bytes);
}

}  // namespace

std::uint64_t Measure::estimate(const sys::ProcessStat& member) {
  Known& known = known_[member.id.pid];
  if (known.start != member.id.start) {
    known = Known{};
    known.start = member.id.start;
  }
  known.seen = round_;
  if (member.resident < kSmall && known.read_at == 0ns) {
    return member.resident;
  }
  const std::uint64_t change = member.resident > known.resident ? member.resident - known.resident
                                                                : known.resident - member.resident;
  if (known.read_at == 0ns || now_ - known.read_at > kRemembered ||
      change > std::max(8 * kMegabyte, known.resident / 16)) {
    const auto bytes = sys::read_memory(member.id.pid);
    if (!bytes) {
      return is_gone(member.id) ? 0 : member.resident;
    }
    known.bytes = *bytes;
    known.resident = member.resident;
    known.read_at = now_;
    return *bytes;
  }
  known.bytes = member.resident > known.resident ? known.bytes + change
                                                 : known.bytes - std::min(known.bytes, change);
  known.resident = member.resident;
  return known.bytes;
}

Sample Measure::take(std::span<const sys::ProcessStat> members) {
  Sample sample;
  sample.at = now_ = sys::monotonic_time();
  ++round_;
  sample.machine = sys::machine_memory();
  sample.machine_tasks = sys::machine_load().tasks;
  sample.processes.reserve(members.size());
  std::uint64_t unshared = 0;
  for (const sys::ProcessStat& member : members) {
    const std::uint64_t bytes = estimate(member);
    const double shared = known_[member.id.pid].shared;
    unshared += bytes;
    sample.processes.push_back({member.id, member.parent,
                                static_cast<std::uint64_t>(static_cast<double>(bytes) * shared)});
    sample.activity += member.cpu_ticks + member.id.start;
    if (limits_[Reason::Idle].value != 0) {
      sample.activity += sys::read_io(member.id.pid).value_or(0);
    }
  }
  sample.bytes = sum_of(sample.processes);
  available_ = sample.machine.available;
  tasks_ = sample.machine_tasks;
  if (must_refine(sample, unshared)) {
    refine(sample);
  }
  if (const auto charge = charge_ ? charge_() : std::nullopt) {
    sample.bytes = std::max(sample.bytes, *charge);
  }
  headroom_ = std::min(distance(sample.bytes, limits_[Reason::TreeMemory].value),
                       distance(largest_of(sample.processes), limits_[Reason::Memory].value));
  was_close_ = is_over(sample, kClose);
  forget_the_gone();
  return sample;
}

bool Measure::is_over(const Sample& sample, unsigned percent) const {
  return reaches(largest_of(sample.processes), limits_[Reason::Memory].value, percent) ||
         reaches(sample.bytes, limits_[Reason::TreeMemory].value, percent);
}

// An estimate over a limit is refined at once, because it may end the run, and so is one that comes
// close, because it causes a warning. Processes that stay close may have stopped sharing: they are
// refined again now and then, or when the machine has lost memory.
bool Measure::must_refine(const Sample& sample, std::uint64_t unshared) const {
  if (is_over(sample, 100) || (!was_close_ && is_over(sample, kClose))) {
    return true;
  }
  const bool may_be_close = reaches(unshared, limits_[Reason::TreeMemory].value, kClose) ||
                            std::ranges::any_of(sample.processes, [&](const ProcessUse& process) {
                              const Known& known = known_.at(process.id.pid);
                              return reaches(known.bytes, limits_[Reason::Memory].value, kClose);
                            });
  return may_be_close && (now_ >= next_refine_ ||
                          available_when_refined_ > sample.machine.available + headroom_ / 4);
}

// From the largest process down, until even the upper bounds of the rest stay clear of both limits.
void Measure::refine(Sample& sample) {
  const auto before = sys::monotonic_time();
  for (ProcessUse& process : sample.processes) {
    const Known& known = known_.at(process.id.pid);
    process.bytes = known.read_at == 0ns ? process.bytes : known.bytes;
  }
  std::ranges::sort(sample.processes, std::ranges::greater{}, &ProcessUse::bytes);
  std::uint64_t sum = sum_of(sample.processes);
  for (ProcessUse& process : sample.processes) {
    if (!reaches(process.bytes, limits_[Reason::Memory].value, kClose) &&
        !reaches(sum, limits_[Reason::TreeMemory].value, kClose)) {
      break;
    }
    sum -= process.bytes;
    refine(process);
    sum += process.bytes;
  }
  sample.bytes = sum;
  if (is_over(sample, kClose)) {
    drop_the_gone(sample);
  }
  const auto cost = sys::monotonic_time() - before;
  next_refine_ = now_ + std::max<std::chrono::nanoseconds>(1s, cost * kRefineShare);
  available_when_refined_ = sample.machine.available;
}

// A reading taken after a sharer has ended charges the rest more: if the shares were summed,
// workers that end together would count many times. Those that remain share at least as much.
void Measure::drop_the_gone(Sample& sample) {
  for (ProcessUse& process : sample.processes) {
    if (process.bytes > 0 && is_gone(process.id)) {
      process.bytes = 0;
    }
  }
  sample.bytes = sum_of(sample.processes);
}

void Measure::refine(ProcessUse& process) {
  Known& known = known_.at(process.id.pid);
  const auto exact = sys::read_proportional_memory(process.id.pid);
  if (!exact) {
    return;  // another user's (its shared memory counts as its own), or gone
  }
  if (known.read_at == 0ns) {
    known.read_at = now_;
    known.bytes = process.bytes;
    known.resident = process.bytes;
  }
  known.shared =
      known.bytes == 0
          ? 1.0
          : std::min(1.0, static_cast<double>(*exact) / static_cast<double>(known.bytes));
  process.bytes = *exact;
}

bool Measure::has_machine_changed() const {
  const std::uint64_t available = sys::machine_memory().available;
  const std::uint64_t lost = available_ - std::min(available_, available);
  const std::uint64_t reserve = limits_[Reason::Reserve].value;
  return lost > headroom_ / 4 || (available < reserve && available_ >= reserve) ||
         sys::machine_load().tasks >
             tasks_ + std::max<std::uint64_t>(limits_[Reason::Processes].value / 4, 32);
}

void Measure::forget_the_gone() {
  if (round_ % 16 == 0) {
    std::erase_if(known_, [this](const auto& entry) { return entry.second.seen != round_; });
  }
}

}  // namespace onelane::guard
