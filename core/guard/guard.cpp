#include "core/guard/guard.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace onelane::guard {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// Nobody fills memory faster than this; it bounds what happens between two peeks.
constexpr double kFastest = 6.0 * 1024 * 1024 * 1024;
constexpr milliseconds kShortest{50};
constexpr milliseconds kLongestPeek{250};
/// Once a run has been told to end, looks decide whether it is hurried.
constexpr milliseconds kWhileEnding{20};

double seconds(nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

milliseconds left_of(milliseconds limit, nanoseconds used) {
  return std::max(0ms, std::chrono::ceil<milliseconds>(limit - used));
}

const ProcessUse& largest_of(const Sample& sample) {
  static const ProcessUse none;
  const auto found = std::ranges::max_element(sample.processes, {}, &ProcessUse::bytes);
  return found == sample.processes.end() ? none : *found;
}

}  // namespace

const char* word_of(Cause cause) noexcept {
  switch (cause) {
    case Cause::Memory:
      return "memory";
    case Cause::TreeMemory:
      return "tree-memory";
    case Cause::Processes:
      return "processes";
    case Cause::Timeout:
      return "timeout";
    case Cause::PipelineTimeout:
      return "pipeline-timeout";
    case Cause::Idle:
      return "idle";
    case Cause::Reserve:
      return "reserve";
  }
  return "";
}

void Curve::add(nanoseconds running, std::uint64_t bytes) {
  const auto index = static_cast<std::size_t>(running / step_);
  while (points_.size() <= std::min(index, kMost - 1)) {
    points_.push_back(bytes);
  }
  points_.back() = std::max(points_.back(), bytes);
  if (index < kMost) {
    return;
  }
  for (std::size_t i = 0; i < kMost / 2; ++i) {
    points_[i] = std::max(points_[2 * i], points_[2 * i + 1]);
  }
  points_.resize(kMost / 2);
  step_ *= 2;
  add(running, bytes);
}

bool Guard::Level::rises(std::uint64_t used, std::uint64_t limit) {
  if (limit == 0 || used < limit / 5 * 2) {
    warned = false;
    return false;
  }
  const bool first = !warned && used >= limit / 2;
  warned = warned || first;
  return first;
}

Ruling Guard::judge(const Sample& sample, nanoseconds running,
                    const std::function<bool()>& takes_most) {
  Ruling ruling;
  running_ = running;
  const ProcessUse& largest = largest_of(sample);
  peak_tree_ = std::max(peak_tree_, sample.bytes);
  peak_process_ = std::max(peak_process_, largest.bytes);
  peak_count_ = std::max(peak_count_, sample.processes.size());
  curve_.add(running, sample.bytes);
  note_activity(sample);
  if (breach_) {
    ruling.order = must_kill(sample, largest) ? Ruling::Order::Kill : Ruling::Order::End;
    ruling.next = kWhileEnding;
    return ruling;
  }
  breach_ = find_breach(sample, largest, takes_most);
  if (breach_) {
    ruling.order = Ruling::Order::End;
    ruling.breach = breach_;
    ruling.next = kWhileEnding;
    return ruling;
  }
  warn(largest, sample, ruling);
  pace(sample, largest, ruling);
  last_at_ = sample.at;
  last_bytes_ = sample.bytes;
  return ruling;
}

std::optional<Breach> Guard::find_breach(const Sample& sample, const ProcessUse& largest,
                                         const std::function<bool()>& takes_most) {
  const auto breach = [&](Cause cause, std::uint64_t used, std::uint64_t limit) {
    at_breach_ = used;
    return Breach{cause, used, limit, {}, running_};
  };
  if (limits_.memory.value != 0 && largest.bytes >= limits_.memory.value) {
    Breach found = breach(Cause::Memory, largest.bytes, limits_.memory.value);
    found.process = largest.id;
    return found;
  }
  if (limits_.tree_memory.value != 0 && sample.bytes >= limits_.tree_memory.value) {
    return breach(Cause::TreeMemory, sample.bytes, limits_.tree_memory.value);
  }
  const std::uint64_t count = sample.processes.size();
  if (limits_.processes.value != 0 && count > limits_.processes.value) {
    return breach(Cause::Processes, count, limits_.processes.value);
  }
  const auto over = [&](const Limit<milliseconds>& limit, nanoseconds used) {
    return limit.value.count() > 0 && used >= limit.value;
  };
  const auto in_ms = [](nanoseconds span) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<milliseconds>(span).count());
  };
  if (over(limits_.timeout, running_)) {
    return breach(Cause::Timeout, in_ms(running_), in_ms(limits_.timeout.value));
  }
  if (over(limits_.pipeline_timeout, before_ + running_)) {
    return breach(Cause::PipelineTimeout, in_ms(before_ + running_),
                  in_ms(limits_.pipeline_timeout.value));
  }
  if (limits_.idle_ends && over(limits_.idle, running_ - idle_since_)) {
    return breach(Cause::Idle, in_ms(running_ - idle_since_), in_ms(limits_.idle.value));
  }
  // Twice in a row: MemAvailable is an estimate. And only a run whose end would help.
  const bool is_short = sample.machine.available < limits_.reserve.value;
  short_of_memory_ = is_short ? short_of_memory_ + 1 : 0;
  if (short_of_memory_ >= 2 && sample.bytes >= limits_.reserve.value && takes_most()) {
    return breach(Cause::Reserve, sample.machine.available, limits_.reserve.value);
  }
  return std::nullopt;
}

bool Guard::must_kill(const Sample& sample, const ProcessUse& largest) const {
  const auto grows = [this](std::uint64_t used) {
    return used > at_breach_ + at_breach_ / 100 || used >= breach_->limit + breach_->limit / 10;
  };
  switch (breach_->cause) {
    case Cause::Memory:
      return grows(largest.bytes);
    case Cause::TreeMemory:
      return grows(sample.bytes);
    case Cause::Processes:
      return grows(sample.processes.size());
    case Cause::Reserve:
      return sample.machine.available < breach_->used;
    case Cause::Timeout:
    case Cause::PipelineTimeout:
    case Cause::Idle:
      return false;
  }
  return false;
}

void Guard::note_activity(const Sample& sample) {
  if (sample.activity != activity_) {
    activity_ = sample.activity;
    idle_since_ = running_;
    idle_said_ = false;
  }
}

double Guard::slope(std::uint64_t bytes, nanoseconds at) const {
  return last_at_ == 0ns || bytes <= last_bytes_ || at <= last_at_
             ? 0.0
             : static_cast<double>(bytes - last_bytes_) / seconds(at - last_at_);
}

void Guard::warn(const ProcessUse& largest, const Sample& sample, Ruling& ruling) {
  const double growth = slope(sample.bytes, sample.at);
  if (process_level_.rises(largest.bytes, limits_.memory.value)) {
    ruling.warnings.push_back(
        {Cause::Memory, largest.bytes, limits_.memory.value, largest.id, growth});
  }
  if (tree_level_.rises(sample.bytes, limits_.tree_memory.value)) {
    ruling.warnings.push_back(
        {Cause::TreeMemory, sample.bytes, limits_.tree_memory.value, largest.id, growth});
  }
  if (limits_.idle.value.count() > 0 && !idle_said_ &&
      running_ - idle_since_ >= limits_.idle.value) {
    idle_said_ = true;
    ruling.is_idle = true;
  }
}

// Half the way to a limit at the present slope, and no later than a deadline.
void Guard::pace(const Sample& sample, const ProcessUse& largest, Ruling& ruling) const {
  milliseconds next = limits_.check_interval;
  double headroom = std::numeric_limits<double>::infinity();
  const auto bounded = [&](std::uint64_t used, std::uint64_t limit) {
    headroom = std::min(headroom, static_cast<double>(limit - std::min(limit, used)));
  };
  if (limits_.memory.value != 0) {
    bounded(largest.bytes, limits_.memory.value);
  }
  if (limits_.tree_memory.value != 0) {
    bounded(sample.bytes, limits_.tree_memory.value);
  }
  if (limits_.reserve.value != 0) {
    bounded(limits_.reserve.value, sample.machine.available);
  }
  const bool counts = limits_.processes.value != 0;
  if (const double growth = slope(sample.bytes, sample.at); growth > 0) {
    next = std::min(next,
                    milliseconds{static_cast<long>(std::min(1e7, headroom / growth / 2 * 1000))});
  }
  if (short_of_memory_ > 0 || (counts && sample.processes.size() > limits_.processes.value / 2)) {
    next = std::min(next, 250ms);
  }
  next = std::max(next, kShortest);
  if (counts || !std::isinf(headroom)) {
    headroom = std::min(headroom, 1e12);
    ruling.peek = std::clamp(milliseconds{static_cast<long>(headroom / kFastest * 1000)}, kShortest,
                             kLongestPeek);
  }
  if (limits_.timeout.value.count() > 0) {
    next = std::min(next, left_of(limits_.timeout.value, running_));
  }
  if (limits_.pipeline_timeout.value.count() > 0) {
    next = std::min(next, left_of(limits_.pipeline_timeout.value, before_ + running_));
  }
  if (limits_.idle.value.count() > 0) {
    const milliseconds left = left_of(limits_.idle.value, running_ - idle_since_);
    next = std::min(next, left.count() > 0 ? left : limits_.idle.value);
  }
  ruling.next = std::max(next, 1ms);
}

}  // namespace onelane::guard
