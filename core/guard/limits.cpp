#include "core/guard/limits.hpp"

#include <algorithm>

#include "core/guard/measure.hpp"

namespace onelane::guard {
namespace {

using sys::Reason;

constexpr int kTimedOut = 124;   // as in timeout(1)
constexpr int kOverLimit = 137;  // as after a kill by the OOM killer

std::uint64_t in_ms(std::chrono::nanoseconds span) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(span).count());
}

constexpr auto kRows = std::to_array<LimitRow>({
    {.name = "MEMORY_LIMIT_MB",
     .unit = Unit::Bytes,
     .reason = Reason::Memory,
     .exit_code = kOverLimit,
     .used = [](const Moment& now) { return now.largest.bytes; },
     .kind = "memory limit",
     .ended = "{process} used {used} of {limit}",
     .brief = "used {used} of {limit}",
     .warning = "{process} uses {used} of {limit}",
     .warns_at_half = true,
     .is_of_one_process = true,
     .most_percent = 80},
    {.name = "TREE_MEMORY_LIMIT_MB",
     .unit = Unit::Bytes,
     .reason = Reason::TreeMemory,
     .exit_code = kOverLimit,
     .used = [](const Moment& now) { return now.sample.bytes; },
     .kind = "memory limit",
     .ended = "{together} used {used} of {limit}",
     .brief = "used {used} of {limit}",
     .warning = "its processes together use {used} of {limit}",
     .warns_at_half = true,
     .most_percent = 80},
    {.name = "MAX_PROCESSES",
     .unit = Unit::Count,
     .reason = Reason::Processes,
     .exit_code = kOverLimit,
     .used = [](const Moment& now) -> std::uint64_t { return now.sample.processes.size(); },
     .kind = "process limit",
     .ended = "{used} processes, {allowed}",
     .brief = "used {used} processes of {limit} processes"},
    {.name = "TIMEOUT",
     .unit = Unit::Milliseconds,
     .reason = Reason::Timeout,
     .exit_code = kTimedOut,
     .used = [](const Moment& now) { return in_ms(now.running); },
     .kind = "time limit",
     .ended = "ran for more than {limit}",
     .brief = "ran for more than {limit}"},
    {.name = "PIPELINE_TIMEOUT",
     .unit = Unit::Milliseconds,
     .reason = Reason::PipelineTimeout,
     .exit_code = kTimedOut,
     .used = [](const Moment& now) { return in_ms(now.with_earlier_attempts); },
     .kind = "time limit",
     .ended = "ran for more than {limit}",
     .brief = "ran for more than {limit}"},
    {.name = "IDLE_TIMEOUT",
     .unit = Unit::Milliseconds,
     .reason = Reason::Idle,
     .exit_code = kTimedOut,
     .used = [](const Moment& now) { return in_ms(now.idle); },
     .kind = "idle limit",
     .ended = "no processor time and no input or output for {used}",
     .brief = "did nothing for {used}",
     .warning = "no processor time and no input or output for {limit}"},
    {.name = "SYSTEM_RESERVE_MB",
     .unit = Unit::Bytes,
     .reason = Reason::Reserve,
     .exit_code = kOverLimit,
     .used = [](const Moment& now) { return now.sample.machine.available; },
     .kind = "machine short of memory",
     .ended = "only {used} of memory left on this machine, and this run has {bytes}",
     .brief = "only {used} of memory was left on the machine",
     .is_floor = true,
     .most_percent = 3},
});

}  // namespace

std::span<const LimitRow> limit_rows() noexcept {
  return kRows;
}

const LimitRow* row_of(Reason reason) noexcept {
  const auto* const found = std::ranges::find(kRows, reason, &LimitRow::reason);
  return found == kRows.end() ? nullptr : found;
}

void Limits::lift(Unit unit) noexcept {
  for (const LimitRow& row : kRows) {
    if (row.unit == unit) {
      (*this)[row.reason].value = 0;
    }
  }
}

std::string filled(std::string_view pattern, std::span<const Word> words) {
  std::string text;
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    const std::size_t close = std::min(pattern.find('}', open), pattern.size());
    text += pattern.substr(0, open);
    if (close < pattern.size()) {
      const auto found =
          std::ranges::find(words, pattern.substr(open + 1, close - open - 1), &Word::name);
      text += found == words.end() ? std::string{} : found->text;
    }
    pattern.remove_prefix(std::min(close + 1, pattern.size()));
  }
  return text;
}

}  // namespace onelane::guard
