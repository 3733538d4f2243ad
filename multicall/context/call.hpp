#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::multicall {

/// The arguments of this process, as the kernel passed them. Borrows everything from main().
struct Call {
  std::string_view name;               ///< The tool: basename of argv[0] without a leading `-`.
  std::span<char*> argv;               ///< With argv[0], without the terminating NULL.
  std::vector<std::string_view> args;  ///< Without argv[0].
};

/// Makes a Call of main()'s arguments. With an empty argv, as execve(2) allows, its name is empty.
[[nodiscard]] Call make_call(int argc, char** argv);

/// True for the names by which onelane is a command itself and not the shim of a tool: "onelane",
/// "seq", "safe-run".
[[nodiscard]] bool is_command_name(std::string_view name) noexcept;

/// "make test -j4": the command as people would type it, with other bytes than printable ASCII as
/// '?', cut at `limit` bytes.
[[nodiscard]] std::string command_line(const Call& call, std::size_t limit = 190);

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
