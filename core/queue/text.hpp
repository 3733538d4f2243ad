#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/queue/queue.hpp"

namespace onelane::queue {

/// Longest file of a queue: no entry is added to a longer one.
inline constexpr std::size_t kLongestKept = std::size_t{32} << 20;
/// Longest file that is read. The difference is room for marks.
inline constexpr std::size_t kLongestText = kLongestKept + (std::size_t{4} << 20);

/// The records of the log of a queue. Each is a line with one JSON object, in which a string that
/// is not UTF-8 becomes {"hex": …}, so that every byte survives.

/// The first record of a file, and only that: all of the queue but its entries.
struct HeadRecord {
  Queue queue;           ///< Without entries.
  std::string imported;  ///< Checksum of the last queue-UID.json that was taken over.
};
/// The environment with the next number, from 0: entries refer to it.
struct EnvironmentRecord {
  Environment environment;
};
/// An entry behind the others.
struct EntryRecord {
  Entry entry;  ///< Without its environment, when it comes from parse_record.
  std::optional<std::size_t> environment;
};
/// A queued entry was started.
struct BeginRecord {
  std::uint64_t id = 0;
  std::string queue_start;
  std::int64_t started_wall_ms = 0;
};
/// A running entry has ended.
struct EndRecord {
  std::uint64_t id = 0;
  State state = State::Failed;
  std::optional<std::int64_t> code;
  std::string run;
  std::int64_t ended_wall_ms = 0;
};
using Record = std::variant<HeadRecord, EnvironmentRecord, EntryRecord, BeginRecord, EndRecord>;

[[nodiscard]] std::string to_line(const Queue& queue, const std::string& imported);
[[nodiscard]] std::string to_line(const Environment& environment);
[[nodiscard]] std::string to_line(const Entry& entry, std::optional<std::size_t> environment);
[[nodiscard]] std::string to_line(const BeginRecord& begin);
[[nodiscard]] std::string to_line(const EndRecord& end);

/// Reads a record back. nullopt when any part is not as to_line writes it: torn, too deep, of wrong
/// types, with a NUL in an argument. Fields that a newer onelane adds are ignored. Throws only
/// std::bad_alloc.
[[nodiscard]] std::optional<Record> parse_record(std::string_view line);

/// Reads a queue as earlier versions of onelane wrote it: the whole of it as one JSON object, in
/// queue-UID.json. nullopt as above, also for a text that is too long and for a duplicate id.
[[nodiscard]] std::optional<Queue> parse_old(std::string_view text);

}  // namespace onelane::queue
