#pragma once

#include <string>
#include <string_view>

namespace onelane::multicall::doctor {

/// What a file system means for the lane.
enum class Place {
  Local,    ///< Nothing to say.
  Network,  ///< Locks reach other machines, or do not, as its server is set up.
  Shared,   ///< Of a host or another program: locks may not reach the other side.
  Layered,  ///< overlay: gone with its container, and of that container alone.
};

struct FileSystem {
  std::string_view name;  ///< "nfs"; empty for one without a row.
  Place place = Place::Local;
};

/// By the magic number of statfs(2), f_type.
[[nodiscard]] FileSystem file_system_of(long magic) noexcept;

/// What it means, in one clause; empty for Local.
[[nodiscard]] std::string_view meaning_of(Place place) noexcept;

enum class Room { Enough, Little, None };

/// Whether a lane and its journal have room: free bytes, free and all inodes (0 of all: the file
/// system counts none).
[[nodiscard]] Room room_of(unsigned long long bytes, unsigned long long inodes,
                           unsigned long long all_inodes) noexcept;

/// A trial of the locks that the lane is made of, in a file of its own in `directory`, which it
/// removes.
struct LockTrial {
  enum class Result {
    Works,
    NotExclusive,  ///< A lock held by another process did not keep us out.
    NotFreed,      ///< It stayed after its holder was killed.
    NoAnswer,      ///< Nothing happened for two seconds.
  };
  Result result = Result::Works;
  long microseconds = 0;  ///< From the first lock to the last.
};

/// Forks a child that holds a lock, looks, kills it, looks again. Blocks for four seconds at most.
/// Throws SystemError when no file can be made there, or it has no such locks.
[[nodiscard]] LockTrial try_locks(const std::string& directory);

}  // namespace onelane::multicall::doctor
