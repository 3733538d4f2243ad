#pragma once

#include <string>

#include "core/tool/find.hpp"
#include "multicall/context/call.hpp"

namespace onelane::multicall {

/// Finds the real tool of `call` behind all shims on PATH.
/// `is_lane_call` as tool::Request has it.
[[nodiscard]] tool::Found find_real_tool(const Call& call, bool is_lane_call = false);

/// The real program of that name on `path`; empty when there is none.
[[nodiscard]] std::string real_program(std::string_view name, const std::string& path);

/// The command that `onelane run` was given: a path as it stands, unless it is a shim; a name
/// behind the shims; onelane itself under the name of one of its commands, as it stands.
[[nodiscard]] tool::Found find_command_to_run(const Call& call);

/// Says why that command cannot be run, and gives the exit code for it.
[[nodiscard]] int explain_no_command(const Call& call);

/// Says why no real tool can run, and gives the exit code for it.
[[nodiscard]] int explain_missing(const Call& call, const tool::Found& found);

/// The same for an exec that failed with `error`.
[[nodiscard]] int explain_exec_failure(const std::string& path, int error);

/// argv for the tool: as the caller wrote it, but for an argv[0] that names the shim by a
/// path, which becomes the real path (research: `$(MAKE)` must not be the shim's path, and a
/// bare `make` must stay bare). Points into `call` and `path`.
[[nodiscard]] std::vector<char*> make_argv(const Call& call, std::string& path);

/// Replaces this process by the real tool: no lane, no limits, nothing else changed. Returns
/// an exit code only when that is impossible, having said why.
[[nodiscard]] int pass_through(const Call& call, bool is_lane_call = false);

}  // namespace onelane::multicall
