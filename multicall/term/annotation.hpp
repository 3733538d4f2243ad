#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall::ci {

/// A GitHub workflow command that annotates a step (`::error title=…::…`).
struct Annotation {
  std::string_view kind = "error";  ///< "error" or "warning".
  std::string title;
  std::string text;
};

/// The command as one line with its newline. Title and text may hold any bytes: they are escaped,
/// so they can neither end the command nor start another.
[[nodiscard]] std::string line_of(const Annotation& annotation);

}  // namespace onelane::multicall::ci
