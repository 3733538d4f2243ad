#pragma once

#include <string_view>

namespace onelane::storm {

/// What the shims of a storm run: takes a witness lock (`OVERLAP` in the trace when somebody
/// has it), writes down which ticket runs and who was waiting before it, leaves a process
/// behind now and then. Reads STORM_TRACE, STORM_WITNESS and STORM_STATE. The exit code.
int be_the_tool(std::string_view name);

}  // namespace onelane::storm
