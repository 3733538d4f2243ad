#pragma once

#include <string_view>

namespace onelane::multicall {

enum class Answer { Yes, No, NobodyToAsk };

/// Asks `QUESTION [y/N]` on standard error and reads one line from standard input; blocks for it.
/// NobodyToAsk unless both are terminals. Anything but `y` or `yes` is a No, end of file
/// too, also behind a `y` without Enter.
[[nodiscard]] Answer confirm(std::string_view question);

}  // namespace onelane::multicall
