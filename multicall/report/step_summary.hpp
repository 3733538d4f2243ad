#pragma once

#include "multicall/report/history.hpp"

namespace onelane::multicall {

/// Appends the history as Markdown to the file that GITHUB_STEP_SUMMARY names, as far as GitHub
/// takes more. False, and nothing is done, where the variable is not set. Throws SystemError.
bool append_step_summary(const History& history);

}  // namespace onelane::multicall
