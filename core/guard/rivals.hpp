#pragma once

namespace onelane::guard {

/// True when no other run on this machine uses more memory than the calling supervisor's: when
/// memory runs short, the largest run is ended. Other supervisors are recognised by their
/// executable; resident sizes are summed over all descendants. Scans /proc: for emergencies only.
[[nodiscard]] bool is_largest_run();

}  // namespace onelane::guard
