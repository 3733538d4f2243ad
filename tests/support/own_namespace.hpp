#pragma once

#include <string>

namespace onelane::test {

/// Runs the calling program again in a PID, mount and network namespace of its own, unless it is in
/// one already or only lists its tests. Returns when that is not permitted: `why_not_alone()` then
/// says why. Call it first in main(), in tests that forge records of processes.
void go_alone(int argc, char** argv);

/// Why the program is not in a namespace of its own; empty when it is.
[[nodiscard]] std::string why_not_alone();

}  // namespace onelane::test
