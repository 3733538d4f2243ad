#pragma once

#include <string>

namespace onelane::multicall {

/// Which coding agent or CI this call came from, by the variables they set: "claude",
/// "github-actions"; empty for a person.
[[nodiscard]] std::string caller_agent();

/// True in a CI job: one of the variables by which caller_agent() knows CI is set, and not "false".
/// An agent may be at work there as well.
[[nodiscard]] bool is_ci();

/// The branch that HEAD in `git_dir` names, the first digits of the commit when it is
/// detached; empty without git. Reads that one file, and calls no git.
[[nodiscard]] std::string current_branch(const std::string& git_dir);

}  // namespace onelane::multicall
