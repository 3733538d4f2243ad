#pragma once

namespace onelane::guard {

/// True when no other run on this machine has more memory than the calling supervisor's:
/// the one that grew most is ended when memory runs short. Other supervisors are known by
/// their executable; resident sizes are compared, over all descendants. Scans /proc: for
/// emergencies only.
[[nodiscard]] bool is_largest_run();

}  // namespace onelane::guard
