#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall::ci {

/// One workflow command of GitHub's that marks a step (`::error title=…::…`).
struct Annotation {
  std::string_view kind = "error";  ///< "error" or "warning".
  std::string title;
  std::string text;
  std::string file;  ///< In the checkout; empty for none.
  int line = 0;      ///< 0 for none.
};

/// The command as one line with its newline. Title, text and file may hold anything: they cannot
/// end the command, nor begin another.
[[nodiscard]] std::string line_of(const Annotation& annotation);

}  // namespace onelane::multicall::ci
