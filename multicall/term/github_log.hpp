#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall {

/// True inside a step of GitHub Actions, where lines of the log can be commands to the runner.
[[nodiscard]] bool is_github_step();

/// While one lives, GitHub treats everything on standard output as text: no line of a tool can be a
/// workflow command (`::stop-commands::TOKEN` … `::TOKEN::`, with a random token that the text
/// cannot know). Does nothing outside a step, or when standard output is a file. Only one may exist
/// at a time. Each end is a write of its own; the destructor never throws.
class CiFence {
 public:
  CiFence();
  CiFence(const CiFence&) = delete;
  CiFence& operator=(const CiFence&) = delete;
  ~CiFence();

 private:
  std::string token_;  ///< Empty: no fence.
};

/// Prints, inside a CiFence, text that may repeat output of a tool or names of its processes.
void print_fenced(std::string_view text);

/// A GitHub workflow command that annotates a step (`::error title=…::…`).
struct Annotation {
  std::string_view kind = "error";  ///< "error" or "warning".
  std::string title;
  std::string text;
};

/// The command as one line with its newline. Title and text may hold any bytes: they are escaped,
/// so they can neither end the command nor start another.
[[nodiscard]] std::string line_of(const Annotation& annotation);

}  // namespace onelane::multicall
