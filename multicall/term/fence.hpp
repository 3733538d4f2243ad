#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall {

/// True inside a step of GitHub Actions, whose log obeys commands that stand in it.
[[nodiscard]] bool is_github_step();

/// While one lives, what is printed to standard output is text for GitHub's log: no line of a tool
/// can be a workflow command (`::stop-commands::TOKEN` … `::TOKEN::`, with a random token that the
/// text cannot know). Does nothing outside a step, and nothing where standard output is a file.
/// One at a time. Both ends are written at once and together with nothing else; the destructor
/// never throws.
class CiFence {
 public:
  CiFence();
  CiFence(const CiFence&) = delete;
  CiFence& operator=(const CiFence&) = delete;
  ~CiFence();

 private:
  std::string token_;  ///< Empty: no fence.
};

/// Prints text that may repeat what a tool has said or what its processes are called.
void print_fenced(std::string_view text);

}  // namespace onelane::multicall
