#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall::audit {

/// One simple command of a script, as its text shows it.
struct Words {
  int line = 0;  ///< The line of its first word.
  /// Without quotes, and not expanded: "$PYTHON" stays, a `$(…)` becomes "$()".
  std::vector<std::string> words;
};

/// The simple commands in a shell script, in order, including those inside `$(…)` and backquotes.
/// Comments, here-documents, redirections, quoted text and the name in a function definition are
/// not commands. Accepts any text and reads as much of it as it can; runs nothing and reports no
/// error. `line` is the number of the first line.
[[nodiscard]] std::vector<Words> commands_in(std::string_view script, int line = 1);

}  // namespace onelane::multicall::audit
