#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onelane::queue {

/// The last line of each change in the log of a queue. The records before it count only if it is
/// there and agrees with them, so a change is in the queue as a whole or not at all.
///
/// It also sums the queue up as it is after the change, so that the next process can append without
/// reading anything else. All commit lines have the same length.
struct Commit {
  bool is_promise = false;  ///< Synced to the disk before anyone was told, unlike a mark.
  std::uint64_t at = 0;     ///< Offset in the file where the change begins.
  std::uint64_t hash = 0;   ///< sys::fnv1a of the records.
  std::uint64_t boot = 0;   ///< sys::boot_id(): what this boot wrote is still in the page cache.
  std::uint64_t next_id = 1;
  std::uint64_t entries = 0;
  std::uint64_t queued = 0;
  bool is_closed = false;
  bool is_stopping = false;
  bool has_starter = false;
  /// The newest environment record: where it is, with its `\n`, and how many there are.
  std::uint64_t environment_at = 0;
  std::uint64_t environment_size = 0;
  std::uint64_t environments = 0;
};

inline constexpr std::string_view kCommitStart = "= ";

/// The line, ending with `\n`, with a checksum of its own.
[[nodiscard]] std::string to_line(const Commit& commit);

/// Length of every such line.
[[nodiscard]] std::size_t commit_size();

/// Reads it back; nullopt when a byte of it is wrong.
[[nodiscard]] std::optional<Commit> parse_commit(std::string_view line);

}  // namespace onelane::queue
