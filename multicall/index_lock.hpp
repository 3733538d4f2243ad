#pragma once

#include <chrono>
#include <string>

#include "core/process/signals.hpp"

namespace onelane::multicall {

/// Waits while a fresh foreign `index.lock` (younger than ten seconds) stands in `git_dir`,
/// at most `limit`: git itself fails at once on it. The file is never touched; after the
/// limit the caller runs git, which says what it thinks of the lock. Returns the signal that
/// ended the wait, 0 for none.
[[nodiscard]] int wait_for_index_lock(const std::string& git_dir, std::chrono::milliseconds limit,
                                      const process::Signals& signals);

}  // namespace onelane::multicall
