#pragma once

#include <string>

namespace onelane::multicall {

/// The coding agent or CI service that made this call, by the variables they set: "claude",
/// "github-actions"; empty for a person.
[[nodiscard]] std::string caller_agent();

/// True in a CI job: one of the variables by which caller_agent() recognises CI is set, and not to
/// "false". An agent may run inside a CI job too.
[[nodiscard]] bool is_ci();

/// The branch that HEAD in `git_dir` names, or the first digits of the commit if it is detached;
/// empty without git. Reads that one file and does not run git.
[[nodiscard]] std::string current_branch(const std::string& git_dir);

}  // namespace onelane::multicall
