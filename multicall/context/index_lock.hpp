#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/process/signals.hpp"
#include "core/sys/process.hpp"

namespace onelane::multicall {

/// Blocks while `git_dir` has an `index.lock` younger than ten seconds, at most for `limit`: git
/// itself would fail at once. The file is never touched; after the limit the caller runs git, which
/// reports the lock. Returns the signal that ended the wait, 0 for none.
[[nodiscard]] int wait_for_index_lock(const std::string& git_dir, std::chrono::milliseconds limit,
                                      const process::Signals& signals);

/// A process of a run that holds `index.lock`.
struct LockOwner {
  pid_t pid = 0;
  std::string command;
};

/// The process among `members` that holds the lock in `git_dir`: the git that has it open, or the
/// only git of them. Nothing if there is no lock, or if that cannot be told.
[[nodiscard]] std::optional<LockOwner> find_index_lock_owner(
    const std::string& git_dir, std::span<const sys::ProcessStat> members);

/// Identity of the lock in a git directory at one moment; all zero for none. Two are compared with
/// each other, not with a clock: the kernel's clock for file times lags clock_gettime(2).
struct LockSeen {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  friend bool operator==(const LockSeen&, const LockSeen&) = default;
};
[[nodiscard]] LockSeen see_index_lock(const std::string& git_dir);

/// For a run that was killed: one line about the lock it left behind, its owner, and how to remove
/// it. Nothing if there is no lock, or only the one from `before` the run.
[[nodiscard]] std::optional<std::string> left_index_lock(const std::string& git_dir,
                                                         const std::optional<LockOwner>& owner,
                                                         const LockSeen& before);

}  // namespace onelane::multicall
