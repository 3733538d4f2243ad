#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall::audit {

/// One simple command of a script, as far as its text shows.
struct Words {
  int line = 0;  ///< Where its first word stands.
  /// Quotes gone, nothing expanded: "$PYTHON" stays so, what `$(…)` gives is "$()".
  std::vector<std::string> words;
};

/// The simple commands in a shell script, in order, those inside `$(…)` and backquotes too.
/// Comments, here-documents, redirections and what is quoted are no commands; neither is a
/// function's name where it is defined. Reads as much as it can of whatever it is given and ends:
/// nothing is ever run, no error is ever reported. `line` is the number of the first line.
[[nodiscard]] std::vector<Words> commands_in(std::string_view script, int line = 1);

}  // namespace onelane::multicall::audit
