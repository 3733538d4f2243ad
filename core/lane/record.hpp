#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/sys/process.hpp"
#include "core/sys/run_id.hpp"

namespace onelane::lane {

/// How the lane file is laid out. Every part carries a checksum, because readers do not
/// take the gate; a part that fails it is read again under the gate or counts as empty.
///
///   Header  LastRun  Entry[kSlots]  Detail[kSlots]  Kept[kKeptSlots]  Left[kLeftSlots]
///
/// The bytes that are locked lie far behind the end of the file, so that a lock never
/// meets a read or a write.
inline constexpr std::uint32_t kMagic = 0x314c4e4fU;  // "ONL1"
inline constexpr std::size_t kSlots = 1024;
inline constexpr std::size_t kKeptSlots = 128;
inline constexpr std::size_t kLeftSlots = 32;
inline constexpr off_t kLaneByte = off_t{1} << 40;  ///< Holding it is holding the lane.
inline constexpr off_t kSlotBytes =
    kLaneByte + 100;  ///< kSlotBytes + i: the owner of slot i lives.

/// What became of a ticket. The numbers are in the file.
enum class State : std::uint8_t {
  Free = 0,
  Waiting = 1,
  Parked = 2,     ///< Stopped by Ctrl-Z, or rewriting itself: keeps its place, is never granted.
  Granted = 3,    ///< Next to run; nobody overtakes it any more.
  Running = 4,    ///< The holder.
  Service = 5,    ///< Long-lived on purpose: listed, holds nothing.
  Cancelled = 6,  ///< Told to leave; its owner clears it.
  Beside = 7,     ///< Runs beside the holder, as a part of the same pipeline; holds what it leaves.
  /// The tool has ended; lane calls that it has left in the background hold the lane. The
  /// supervisor named is the guardian then.
  Background = 8,
};

/// True for a run that has the lane, alone or as a part of the holder's pipeline.
[[nodiscard]] constexpr bool has_lane(State state) noexcept {
  return state == State::Running || state == State::Beside || state == State::Background;
}

/// The one run that holds it, its tool ended or not; not those beside it.
[[nodiscard]] constexpr bool holds_lane(State state) noexcept {
  return state == State::Running || state == State::Background;
}

/// A run's name: eleven characters and a NUL, unique among all lanes and boots.
using RunId = std::array<char, 12>;
[[nodiscard]] RunId new_run_id() noexcept;
[[nodiscard]] inline std::string_view view(const RunId& id) noexcept {
  return {id.data()};
}

/// Which file a part of a lane was written to. A checkout may be copied while a run is in it (cp,
/// tar, a snapshot), and its lane file with it.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

/// Order and liveness of one ticket: all that deciding needs.
struct Entry {
  std::uint32_t checksum = 0;
  State state = State::Free;
  std::uint8_t overtaken = 0;  ///< Grants given to later tickets; capped (see table.hpp).
  std::int16_t priority = 0;   ///< Higher first.
  std::uint64_t sequence = 0;  ///< Arrival; the only order inside a priority.
  std::uint64_t start = 0;     ///< Start time of the supervisor.
  std::uint64_t pid_namespace = 0;
  std::int32_t pid = 0;  ///< Supervisor.
  std::uint32_t uid = 0;
  std::uint32_t boot = 0;
  RunId run_id{};
  std::uint32_t rejoin_key = 0;  ///< Of what is asked for: who asks the same may take the place.
  std::uint32_t rejoin_ms = 0;   ///< How long the place stays when the owner dies; 0: not at all.
  [[nodiscard]] sys::ProcessId supervisor() const noexcept { return {pid, start}; }
};
static_assert(sizeof(Entry) == 64);

/// What people and the cycle search want to know about a ticket.
struct Detail {
  std::uint32_t checksum = 0;
  std::uint32_t ancestor_count = 0;
  std::uint64_t sequence = 0;          ///< Of the entry this belongs to.
  std::int64_t enqueued_boottime = 0;  ///< Nanoseconds.
  std::int64_t started_boottime = 0;
  std::int64_t enqueued_wall = 0;  ///< Seconds since the epoch.
  std::int64_t started_wall = 0;
  std::int32_t tool_pid = 0;
  std::uint32_t may_prompt = 0;  ///< May sit in an editor or prompt.
  std::uint64_t tool_start = 0;
  std::array<char, 32> tool{};
  std::array<char, 24> terminal{};
  std::array<char, 192> command{};
  std::array<char, 160> directory{};
  std::array<RunId, 4> ancestors{};  ///< Runs of other lanes above this ticket, nearest first.
  std::array<char, 16> agent{};      ///< Coding agent or CI that asked, empty for a person.
  std::array<char, 344> ancestor_lanes{};  ///< Their lane files, each NUL-terminated.
  /// The owner's, opaque here: what clearing away after it needs (LastRun::context).
  std::array<std::uint64_t, 8> context{};
  RunId pipeline_of{};            ///< The run beside which it started, if it did.
  std::uint32_t reads_input = 0;  ///< Its work comes from its standard input.
  std::array<char, 48> until{};   ///< When the holder gives the lane back before its end; for show.
  std::int64_t released_boottime = 0;  ///< When it did.
  std::uint64_t call_key = 0;          ///< TicketInfo::call_key.
};
static_assert(sizeof(Detail) == 1024);

/// Head of the file.
struct Header {
  std::uint32_t checksum = 0;
  std::uint32_t magic = kMagic;
  std::uint64_t next_sequence = 1;
  std::uint32_t high = 0;       ///< No slot at or above this is in use.
  std::uint32_t cursor = 0;     ///< Where the next ticket looks for a free slot.
  std::uint32_t held = 0;       ///< `onelane hold`: the granted ticket does not start.
  std::uint32_t held_by = 0;    ///< Uid of whoever said so; the hold outlives them.
  std::int64_t held_since = 0;  ///< Seconds since the epoch: it outlives the boot, too.
  std::array<char, 96> held_reason{};
  std::uint32_t left = 0;  ///< Some Left may be in use: nobody reads them otherwise.
  std::uint32_t unused = 0;
  FileId file;  ///< As in LastRun; zero in a file of an earlier version.
  std::array<char, 352> padding{};
};
static_assert(sizeof(Header) == 512);

/// The last run that took the lane. Open until every member has ended or was kept: a
/// ticket that is granted and finds it open knows that supervisor and guardian both died.
struct LastRun {
  std::uint32_t checksum = 0;
  std::uint32_t open = 0;
  RunId run_id{};
  std::uint32_t boot = 0;
  std::uint64_t pid_namespace = 0;
  std::int32_t supervisor_pid = 0;
  std::uint32_t uid = 0;
  std::uint64_t supervisor_start = 0;
  std::array<std::uint64_t, 8>
      context{};  ///< The owner's, opaque here: what clearing away after it needs.
  std::int64_t started_boottime = 0;  ///< Nanoseconds.
  RunId ran{};  ///< The last one that ran something: this one, unless it took a result.
  std::uint32_t unused = 0;
  FileId file;  ///< The lane file that this was written to: elsewhere it is a copy, of no run.
  std::array<char, 360> padding{};
};
static_assert(sizeof(LastRun) == 512);

/// A process that a run left running on purpose.
struct Kept {
  std::uint32_t checksum = 0;
  std::int32_t pid = 0;
  std::uint64_t start = 0;
  std::uint32_t boot = 0;
  RunId run_id{};
  std::array<char, 31> name{};
  /// It is a lane call in the background, or one is below it: while its run holds the lane for
  /// those, a call below it is nested.
  std::uint8_t is_background = 0;
};
static_assert(sizeof(Kept) == 64);

/// A place in the queue whose owner was killed, or told to end, while it waited: whoever asks for
/// the same again in time gets it back. A remembered number, no more: nobody waits for it.
struct Left {
  std::uint32_t checksum = 0;
  std::uint32_t key = 0;            ///< Entry::rejoin_key.
  std::uint64_t sequence = 0;       ///< 0: nobody's.
  std::int64_t until_boottime = 0;  ///< Nanoseconds.
  std::uint32_t uid = 0;
  std::uint32_t boot = 0;
  std::int16_t priority = 0;
  std::uint8_t overtaken = 0;
  std::uint8_t padding = 0;
  RunId run_id{};  ///< Of the ticket that left.
  std::array<char, 208> command{};
};
static_assert(sizeof(Left) == 256);

inline constexpr off_t kLastRunAt = sizeof(Header);
inline constexpr off_t kEntriesAt = kLastRunAt + off_t{sizeof(LastRun)};
inline constexpr off_t kDetailsAt = kEntriesAt + off_t{kSlots * sizeof(Entry)};
inline constexpr off_t kKeptAt = kDetailsAt + off_t{kSlots * sizeof(Detail)};
inline constexpr off_t kLeftAt = kKeptAt + off_t{kKeptSlots * sizeof(Kept)};

/// Copies `text` into a fixed field, cut and NUL-terminated.
template <std::size_t N>
void set_text(std::array<char, N>& field, std::string_view text) noexcept {
  const std::size_t length = text.size() < N - 1 ? text.size() : N - 1;
  field.fill('\0');
  text.copy(field.data(), length);
}

/// A run of another lane above a call, and that lane's file.
struct Above {
  RunId run_id{};
  std::string lane_file;
};

}  // namespace onelane::lane
