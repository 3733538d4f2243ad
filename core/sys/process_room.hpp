#pragma once

#include <cstdint>
#include <optional>

namespace onelane::sys {

/// How many more processes the calling user may start under RLIMIT_NPROC, with threads counted as
/// the kernel counts them (getrlimit(2)). nullopt without a limit, for root, to whom it does not
/// apply, and for a limit of 256 or more, which is not expected to be reached: only below that are
/// the processes counted, with one scan of /proc.
[[nodiscard]] std::optional<std::uint64_t> process_room();

}  // namespace onelane::sys
