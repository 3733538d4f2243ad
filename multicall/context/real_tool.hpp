#pragma once

#include <string>

#include "core/tool/find.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// Finds the real tool of `call` on PATH, after all shims. `is_lane_call`: see tool::Request.
[[nodiscard]] tool::Found find_real_tool(const Call& call, bool is_lane_call = false);

/// The first real program called `name` on `path`; empty if there is none.
[[nodiscard]] std::string real_program(std::string_view name, const std::string& path);

/// The command that `onelane run` was given. A path is used as it is, unless it is a shim; a name
/// is looked up after the shims; a command that is onelane itself is used as it is.
[[nodiscard]] tool::Found find_command_to_run(const Call& call);

/// Says why find_command_to_run() found nothing; returns the exit code.
[[nodiscard]] int explain_no_command(const Call& call);

/// Says why find_real_tool() found nothing; returns the exit code.
[[nodiscard]] int explain_missing(const Call& call, const tool::Found& found);

/// Says why the exec of `path` failed with the errno `error`; returns the exit code.
[[nodiscard]] int explain_exec_failure(const std::string& path, int error);

/// argv for the tool: the caller's, except that an argv[0] with a slash becomes the real path, so
/// that `$(MAKE)` is not the shim; a bare `make` stays bare. Points into `call` and `path`.
[[nodiscard]] std::vector<char*> make_argv(const Call& call, std::string& path);

/// Replaces this process with the real tool: no lane, no limits, nothing else changed. If that is
/// impossible, says why and returns an exit code.
[[nodiscard]] int pass_through(const Call& call, bool is_lane_call = false);

}  // namespace onelane::multicall
