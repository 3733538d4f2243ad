#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onelane::multicall {

enum class Answer { Yes, No, NoTerminal };

/// Asks `QUESTION [y/N]` on standard error and reads one line from standard input; blocks until it
/// comes. NoTerminal unless both are terminals. Anything but a whole line `y` or `yes` is a No; so
/// is end of file, even after a `y` without Enter.
[[nodiscard]] Answer confirm(std::string_view question);

/// For a verb that ends something: confirms `QUESTION?`. Empty for Yes. Else the exit code, after
/// one line: that nothing was ended, or `hint` if no terminal is there to ask on.
[[nodiscard]] std::optional<int> refusal_of(const std::string& question, std::string_view hint);

}  // namespace onelane::multicall
