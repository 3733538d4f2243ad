#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace onelane::sys {

/// How a run came to its end.
enum class Reason : std::uint8_t {
  Exited,           ///< By itself, with an exit status.
  Signalled,        ///< Died of a signal that was not ours.
  NotStarted,       ///< The tool could not be executed, or the ticket was given up.
  Timeout,          ///< The tool took too long. Ended by us, as all below down to Stopped.
  PipelineTimeout,  ///< The outermost run did, retries included.
  Idle,             ///< No activity for too long.
  Memory,           ///< One process over its limit.
  TreeMemory,       ///< All of them together over theirs.
  Processes,        ///< Too many.
  Reserve,          ///< The machine has too little memory left, and this run has most of it.
  Stopped,          ///< On order of a user.
  Crashed,          ///< The supervisor died; written by the call that cleared away.
};

/// The word of each, in their order. They are in journals and kill cards: none changes.
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
