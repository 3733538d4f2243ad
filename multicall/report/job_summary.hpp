#pragma once

#include <cstddef>
#include <string>

#include "multicall/report/history.hpp"

namespace onelane::multicall {

/// What GitHub takes of one step's summary, less some room (its limit is 1 MiB).
inline constexpr std::size_t kLongestSummary = 1'000'000;

/// Most annotations of one type that GitHub shows of a step.
inline constexpr std::size_t kMostAnnotations = 10;

/// The history as Markdown for a job's summary: the figures, the runs that were ended with
/// their cards, and the runs. At most `limit` bytes: rows are left out, and it says so. Text of
/// a run is in code spans of HTML with every character that means something to Markdown, HTML
/// or GitHub as a character reference.
[[nodiscard]] std::string markdown_of(const History& history, std::size_t limit = kLongestSummary);

/// One workflow command a line for the runs that a limit ended ("::error") or whose supervisor
/// died ("::warning"), the newest kMostAnnotations of them, oldest first. What a run is called
/// cannot begin a line or a command of its own.
[[nodiscard]] std::string annotations_of(const History& history);

/// The history in a few lines for a terminal.
[[nodiscard]] std::string text_of(const History& history);

}  // namespace onelane::multicall
