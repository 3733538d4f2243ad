#pragma once

namespace onelane::multicall {

/// Exit codes of onelane itself; a tool's own exit code is never changed.
inline constexpr int kExitUsage = 64;
inline constexpr int kExitGaveUp = 75;
inline constexpr int kExitBadSettings = 78;
inline constexpr int kExitTimedOut = 124;
inline constexpr int kExitFailed = 125;
inline constexpr int kExitCannotExecute = 126;
inline constexpr int kExitNotFound = 127;
inline constexpr int kExitOverLimit = 137;  ///< Memory or processes: same as after the OOM killer.

}  // namespace onelane::multicall
