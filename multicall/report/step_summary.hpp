#pragma once

#include "multicall/report/history.hpp"

namespace onelane::multicall {

/// Appends the history as Markdown to the file that GITHUB_STEP_SUMMARY names, up to GitHub's
/// limit. Returns false and does nothing if the variable is not set. Throws SystemError.
bool append_step_summary(const History& history);

}  // namespace onelane::multicall
