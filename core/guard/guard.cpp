#include "core/guard/guard.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "core/sys/process.hpp"

namespace onelane::guard {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// No run fills memory faster than this; it bounds what can happen between two peeks.
constexpr double kFastest = 6.0 * 1024 * 1024 * 1024;
constexpr milliseconds kShortest{50};
constexpr milliseconds kLongestPeek{250};
/// Once a run was told to end, looks decide whether to escalate.
constexpr milliseconds kWhileEnding{20};

double seconds(nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

/// How far `used` is from a limit.
std::uint64_t room_of(const LimitRow& row, std::uint64_t limit, std::uint64_t used) {
  return row.is_floor ? used - std::min(used, limit) : limit - std::min(limit, used);
}

bool is_over(const LimitRow& row, std::uint64_t limit, std::uint64_t used) {
  return limit != 0 && (row.unit == Unit::Count ? used > limit : used >= limit);
}

const ProcessUse& largest_of(const Sample& sample) {
  static const ProcessUse none;
  const auto found = std::ranges::max_element(sample.processes, {}, &ProcessUse::bytes);
  return found == sample.processes.end() ? none : *found;
}

std::uint64_t resident_below(pid_t pid) {
  std::uint64_t sum = 0;
  for (const sys::ProcessStat& process : sys::descendants_of(pid)) {
    sum += process.resident;
  }
  return sum;
}

}  // namespace

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

Ruling Guard::judge(const Sample& sample, nanoseconds running,
                    const std::function<bool()>& takes_most) {
  Ruling ruling;
  running_ = running;
  note_activity(sample);
  const Moment now{sample, largest_of(sample), running, before_ + running, running - idle_since_};
  peak_tree_ = std::max(peak_tree_, sample.bytes);
  peak_process_ = std::max(peak_process_, now.largest.bytes);
  peak_count_ = std::max(peak_count_, sample.processes.size());
  curve_.add(running, sample.bytes);
  if (breach_) {
    ruling.order = must_kill(now) ? Ruling::Order::Kill : Ruling::Order::End;
    ruling.next = kWhileEnding;
    return ruling;
  }
  breach_ = find_breach(now, takes_most);
  if (breach_) {
    ruling.order = Ruling::Order::End;
    ruling.breach = breach_;
    ruling.next = kWhileEnding;
    return ruling;
  }
  warn(now, ruling);
  pace(now, ruling);
  last_at_ = sample.at;
  last_bytes_ = sample.bytes;
  return ruling;
}

std::optional<Breach> Guard::find_breach(const Moment& now,
                                         const std::function<bool()>& takes_most) {
  for (const LimitRow& row : limit_rows()) {
    const Limit& limit = limits_[row.reason];
    const std::uint64_t used = row.used(now);
    const bool is_broken = row.is_floor ? falls_short(now, used, limit.value, takes_most)
                                        : limit.ends && is_over(row, limit.value, used);
    if (is_broken) {
      return Breach{row.reason, used, limit.value,
                    row.is_of_one_process ? now.largest.id : sys::ProcessId{}, running_};
    }
  }
  return std::nullopt;
}

// Requires two samples in a row, because MemAvailable is an estimate, and a run whose end would
// help.
bool Guard::falls_short(const Moment& now, std::uint64_t left, std::uint64_t floor,
                        const std::function<bool()>& takes_most) {
  short_of_memory_ = left < floor ? short_of_memory_ + 1 : 0;
  return short_of_memory_ >= 2 && now.sample.bytes >= floor && takes_most();
}

bool Guard::must_kill(const Moment& now) const {
  const LimitRow& row = *row_of(breach_->reason);
  const std::uint64_t used = row.used(now);
  if (row.is_floor) {
    return used < breach_->used;
  }
  return row.unit != Unit::Milliseconds && (used > breach_->used + breach_->used / 100 ||
                                            used >= breach_->limit + breach_->limit / 10);
}

void Guard::note_activity(const Sample& sample) {
  if (sample.activity != activity_) {
    activity_ = sample.activity;
    idle_since_ = running_;
  }
}

double Guard::slope(std::uint64_t bytes, nanoseconds at) const {
  return last_at_ == 0ns || bytes <= last_bytes_ || at <= last_at_
             ? 0.0
             : static_cast<double>(bytes - last_bytes_) / seconds(at - last_at_);
}

// Warns once, until use has fallen well below.
bool Guard::must_warn(const LimitRow& row, std::uint64_t used) {
  const Limit& limit = limits_[row.reason];
  bool& warned = warned_[static_cast<std::size_t>(row.reason)];
  if (limit.value == 0 || used * 5 < limit.value * 2) {
    warned = false;
    return false;
  }
  const bool is_reached =
      limit.ends ? row.warns_at_half && used >= limit.value / 2 : used >= limit.value;
  const bool is_first = is_reached && !warned;
  warned = warned || is_first;
  return is_first;
}

void Guard::warn(const Moment& now, Ruling& ruling) {
  const double growth = slope(now.sample.bytes, now.sample.at);
  for (const LimitRow& row : limit_rows()) {
    const std::uint64_t used = row.used(now);
    if (must_warn(row, used)) {
      ruling.warnings.push_back({row.reason, used, limits_[row.reason].value, now.largest.id,
                                 row.unit == Unit::Bytes ? growth : 0});
    }
  }
}

// The next look comes halfway to a limit at the present slope, but no later than a deadline.
void Guard::pace(const Moment& now, Ruling& ruling) const {
  double headroom = std::numeric_limits<double>::infinity();
  auto deadline = milliseconds::max();
  bool counts = false;
  bool is_close = short_of_memory_ > 0;
  for (const LimitRow& row : limit_rows()) {
    const std::uint64_t limit = limits_[row.reason].value;
    if (limit == 0) {
      continue;
    }
    const std::uint64_t used = row.used(now);
    const std::uint64_t room = room_of(row, limit, used);
    switch (row.unit) {
      case Unit::Bytes:
        headroom = std::min(headroom, static_cast<double>(room));
        break;
      case Unit::Count:
        counts = true;
        is_close = is_close || used > limit / 2;
        break;
      case Unit::Milliseconds:  // a limit that only warns may have passed
        deadline = std::min(deadline, milliseconds{room > 0 ? room : limit});
        break;
    }
  }
  milliseconds next = limits_.check_interval;
  if (const double growth = slope(now.sample.bytes, now.sample.at); growth > 0) {
    next = std::min(next,
                    milliseconds{static_cast<long>(std::min(1e7, headroom / growth / 2 * 1000))});
  }
  if (is_close) {
    next = std::min(next, 250ms);
  }
  if (counts || !std::isinf(headroom)) {
    headroom = std::min(headroom, 1e12);
    ruling.peek = std::clamp(milliseconds{static_cast<long>(headroom / kFastest * 1000)}, kShortest,
                             kLongestPeek);
  }
  ruling.next = std::max(std::min(std::max(next, kShortest), deadline), 1ms);
}

bool is_largest_run() {
  struct stat own {};
  if (::stat("/proc/self/exe", &own) != 0) {
    return true;
  }
  const pid_t self = ::getpid();
  const std::uint64_t ours = resident_below(self);
  return std::ranges::none_of(sys::all_pids(), [&](pid_t pid) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/exe", pid);
    struct stat other {};
    if (pid == self || ::stat(path, &other) != 0 || other.st_ino != own.st_ino ||
        other.st_dev != own.st_dev) {
      return false;
    }
    const std::uint64_t theirs = resident_below(pid);
    return theirs > ours || (theirs == ours && pid < self);
  });
}

}  // namespace onelane::guard
