#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace onelane::sys {

/// How a run ended.
enum class Reason : std::uint8_t {
  Exited,           ///< By itself, with an exit status.
  Signalled,        ///< Died of a signal that we did not send.
  NotStarted,       ///< The tool could not be executed, or the ticket was given up.
  Timeout,          ///< The tool took too long. Ended by us, like all below down to Stopped.
  PipelineTimeout,  ///< The outermost run took too long, retries included.
  Idle,             ///< No activity for too long.
  Memory,           ///< One process exceeded its limit.
  TreeMemory,       ///< All processes together exceeded theirs.
  Processes,        ///< Too many processes.
  Reserve,          ///< The machine has too little memory left, and this run has most of it.
  Stopped,          ///< Ordered by a user.
  Crashed,          ///< The supervisor died; written by the call that cleared away.
};

/// The word for each reason, in the same order. Journals and kill cards contain them, so they never
/// change.
inline constexpr auto kReasonWords = std::to_array<std::string_view>({
    "exited",
    "signalled",
    "not-started",
    "timeout",
    "pipeline-timeout",
    "idle",
    "memory",
    "tree-memory",
    "processes",
    "reserve",
    "stopped",
    "crashed",
});
static_assert(kReasonWords.size() == static_cast<std::size_t>(Reason::Crashed) + 1);

/// "exited" for a value out of range.
[[nodiscard]] constexpr std::string_view word_of(Reason reason) noexcept {
  const auto index = static_cast<std::size_t>(reason);
  return kReasonWords[index < kReasonWords.size() ? index : 0];
}

[[nodiscard]] constexpr std::optional<Reason> reason_of(std::string_view word) noexcept {
  const auto* const found = std::ranges::find(kReasonWords, word);
  return found == kReasonWords.end()
             ? std::nullopt
             : std::optional{static_cast<Reason>(found - kReasonWords.begin())};
}

/// True for a run that onelane ended: at a limit, or on order.
[[nodiscard]] constexpr bool is_by_onelane(Reason reason) noexcept {
  return reason >= Reason::Timeout && reason <= Reason::Stopped;
}

}  // namespace onelane::sys
