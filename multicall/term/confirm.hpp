#pragma once

#include <string_view>

namespace onelane::multicall {

enum class Answer { Yes, No, NoTerminal };

/// Asks `QUESTION [y/N]` on standard error and reads one line from standard input; blocks until it
/// comes. NoTerminal unless both are terminals. Anything but a whole line `y` or `yes` is a No; so
/// is end of file, even after a `y` without Enter.
[[nodiscard]] Answer confirm(std::string_view question);

}  // namespace onelane::multicall
