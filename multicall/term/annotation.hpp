#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall::ci {

/// One workflow command of GitHub's that marks a step (`::error title=…::…`).
struct Annotation {
  std::string_view kind = "error";  ///< "error" or "warning".
  std::string title;
  std::string text;
};

/// The command as one line with its newline. Title and text may hold anything: they cannot end
/// the command, nor begin another.
[[nodiscard]] std::string line_of(const Annotation& annotation);

}  // namespace onelane::multicall::ci
