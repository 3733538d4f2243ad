#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/process/signals.hpp"
#include "core/sys/process.hpp"

namespace onelane::multicall {

/// Waits while a fresh foreign `index.lock` (younger than ten seconds) stands in `git_dir`,
/// at most `limit`: git itself fails at once on it. The file is never touched; after the
/// limit the caller runs git, which says what it thinks of the lock. Returns the signal that
/// ended the wait, 0 for none.
[[nodiscard]] int wait_for_index_lock(const std::string& git_dir, std::chrono::milliseconds limit,
                                      const process::Signals& signals);

/// A process of a run that holds `index.lock`.
struct LockOwner {
  pid_t pid = 0;
  std::string command;
};

/// Who among `members` holds the lock in `git_dir`: the git that has it open, or the only git
/// there is. Nothing when there is no lock.
[[nodiscard]] std::optional<LockOwner> find_index_lock_owner(
    const std::string& git_dir, std::span<const sys::ProcessStat> members);

/// Which lock stands in a git directory at one moment; all zero for none. Compared, not dated: the
/// clock that files are dated by lags the one we can read.
struct LockSeen {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  friend bool operator==(const LockSeen&, const LockSeen&) = default;
};
[[nodiscard]] LockSeen see_index_lock(const std::string& git_dir);

/// For a run that was killed: one line about the lock it left, by whom and how to remove it.
/// Nothing when there is none, or when it is the one that stood there `before` the run.
[[nodiscard]] std::optional<std::string> left_index_lock(const std::string& git_dir,
                                                         const std::optional<LockOwner>& owner,
                                                         const LockSeen& before);

}  // namespace onelane::multicall
