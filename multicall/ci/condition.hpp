#pragma once

#include <string_view>

namespace onelane::multicall::ci {

/// True when `if: TEXT` skips a step of GitHub's in a run where nothing fails and nobody cancels:
/// `failure()`, `!success()`, `always() == false`, `job.status == 'failure'` and what is made of
/// such by `&&`, `||`, `!` and parentheses. Whatever it cannot know (`github.ref == …`) may hold.
/// Pure.
[[nodiscard]] bool skips_when_green(std::string_view text);

}  // namespace onelane::multicall::ci
