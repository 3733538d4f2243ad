#pragma once

#include <cstddef>
#include <string>

#include "multicall/report/history.hpp"

namespace onelane::multicall {

/// How much GitHub accepts as one step's summary, with some margin (its limit is 1 MiB).
inline constexpr std::size_t kLongestSummary = 1'000'000;

/// The most annotations of one type that GitHub shows for a step.
inline constexpr std::size_t kMostAnnotations = 10;

/// The history as Markdown for a job's summary: the figures, the runs that were ended with their
/// cards, and the runs. At most `limit` bytes; if rows are left out, it says so. Text of a run is
/// in HTML code spans, with every character that means something to Markdown, HTML or GitHub as a
/// character reference.
[[nodiscard]] std::string markdown_of(const History& history, std::size_t limit = kLongestSummary);

/// One workflow command per line for the runs that a limit ended ("::error") or whose supervisor
/// died ("::warning"): the newest kMostAnnotations of them, oldest first. The name of a run cannot
/// begin a line or a command of its own.
[[nodiscard]] std::string annotations_of(const History& history);

/// The history in a few lines for a terminal.
[[nodiscard]] std::string text_of(const History& history);

/// Appends the history as Markdown to the file that GITHUB_STEP_SUMMARY names, up to GitHub's
/// limit. Returns false and does nothing if the variable is not set. Throws SystemError.
bool append_step_summary(const History& history);

}  // namespace onelane::multicall
