#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall::doctor {

/// What a file system means for the lane.
enum class Place {
  Local,    ///< Nothing to report.
  Network,  ///< Whether locks reach other machines depends on the server.
  Shared,   ///< Shared with a host or another program, which may not see locks.
  Layered,  ///< overlay: private to its container, and gone with it.
};

struct FileSystem {
  std::string_view name;  ///< "nfs"; empty if the table does not have it.
  Place place = Place::Local;
};

/// Looks it up by the magic number of statfs(2), f_type.
[[nodiscard]] FileSystem file_system_of(long magic) noexcept;

/// What the place means, in one clause; empty for Local.
[[nodiscard]] std::string_view meaning_of(Place place) noexcept;

enum class Room { Enough, Little, None };

/// Whether a lane and its journal have room, from the free bytes, free inodes and all inodes (0 of
/// all: the file system does not count them).
[[nodiscard]] Room room_of(unsigned long long bytes, unsigned long long inodes,
                           unsigned long long all_inodes) noexcept;

/// A trial of the locks that the lane uses, on a file of its own in `directory`, which it removes.
struct LockTrial {
  enum class Result {
    Works,
    NotExclusive,  ///< A lock held by another process did not keep us out.
    NotFreed,      ///< The lock stayed after its holder was killed.
    NoAnswer,      ///< Nothing happened for two seconds.
  };
  Result result = Result::Works;
  long microseconds = 0;  ///< From the first lock to the last.
};

/// Forks a child that holds a lock, checks, kills it, checks again. Blocks for four seconds at
/// most. Throws SystemError when no file can be created there or the file system has no such locks.
[[nodiscard]] LockTrial try_locks(const std::string& directory);

}  // namespace onelane::multicall::doctor
