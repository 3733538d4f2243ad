#pragma once

#include <cstdint>
#include <optional>

namespace onelane::sys {

/// How many processes the calling user may still start under RLIMIT_NPROC, threads being counted
/// as the kernel counts them (getrlimit(2)). Nothing without a limit, for root, whom it does not
/// bind, and under a limit so high that it was not set to be met: only below 256 the processes are
/// counted, by one scan of /proc.
[[nodiscard]] std::optional<std::uint64_t> process_room();

}  // namespace onelane::sys
