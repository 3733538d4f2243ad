#pragma once

#include <string_view>

namespace onelane::storm {

/// The tool behind the shims of a storm: takes a witness lock (`OVERLAP` in the trace when another
/// process holds it), records which ticket runs and which were waiting before it, and sometimes
/// leaves a process behind. Reads STORM_TRACE, STORM_WITNESS and STORM_STATE. Returns the exit
/// code.
int be_the_tool(std::string_view name);

}  // namespace onelane::storm
