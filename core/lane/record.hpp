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

/// Layout of the lane file. Every part carries a checksum, because readers do not take the gate; a
/// part whose checksum is wrong is read again under the gate or counts as empty.
///
///   Header  LastRun  Entry[kSlots]  Detail[kSlots]  Kept[kKeptSlots]  Left[kLeftSlots]  rung
///
/// `rung`, without a checksum, is the time of the last ring, on the clock of sys::boot_time().
///
/// The bytes used for locks lie far beyond the end of the file, so that a lock never covers data.
inline constexpr std::uint32_t kMagic = 0x324c4e4fU;  // "ONL2"
inline constexpr std::size_t kSlots = 1024;
inline constexpr std::size_t kKeptSlots = 128;
inline constexpr std::size_t kLeftSlots = 32;
/// Holding it is holding the lane. The byte before it was that of the first format: a call that a
/// run of an older onelane makes cannot read that run's records, and must not wait for its lane.
inline constexpr off_t kLaneByte = (off_t{1} << 40) + 1;

/// Each slot has kSlotWidth bytes of its own. Its owner locks the last of them while it lives
/// (slot_byte()), and with it, as one range, all bytes from its ticket's own (ticket_byte()), which
/// the ticket behind it sleeps on. Sequences grow, so a ticket that is about to sleep on the byte
/// of a former owner finds it free, whichever ticket has the slot now.
inline constexpr off_t kSlotBytes = off_t{1} << 41;
inline constexpr off_t kSlotWidth = off_t{1} << 30;

/// State of a ticket. The numbers are part of the file format.
enum class State : std::uint8_t {
  Free = 0,
  Waiting = 1,
  Parked = 2,     ///< Stopped by Ctrl-Z, or rewriting itself: keeps its place, is never granted.
  Granted = 3,    ///< Next to run; can no longer be overtaken.
  Running = 4,    ///< The holder.
  Service = 5,    ///< Long-lived on purpose: listed, but does not hold the lane.
  Cancelled = 6,  ///< Told to leave; its owner clears it.
  Beside = 7,     ///< Runs beside the holder as part of its pipeline; takes over the lane at the
                  ///< holder's end.
  /// The tool has ended; lane calls that it left in the background hold the lane. The supervisor in
  /// the entry is then the guardian.
  Background = 8,
};

/// True for a run that has the lane, alone or as part of the holder's pipeline.
[[nodiscard]] constexpr bool has_lane(State state) noexcept {
  return state == State::Running || state == State::Beside || state == State::Background;
}

/// True for the one run that holds the lane, whether or not its tool has ended; false for those
/// beside it.
[[nodiscard]] constexpr bool holds_lane(State state) noexcept {
  return state == State::Running || state == State::Background;
}

/// A run's id: eleven characters and a NUL, unique among all lanes and boots.
using RunId = std::array<char, 12>;
[[nodiscard]] RunId new_run_id() noexcept;
[[nodiscard]] inline std::string_view view(const RunId& id) noexcept {
  return {id.data()};
}

/// Identifies the file that a part of a lane was written to. A checkout may be copied, lane file
/// included, while a run is in it (cp, tar, a snapshot).
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

/// Order and liveness of one ticket: everything that decisions need.
struct Entry {
  std::uint32_t checksum = 0;
  State state = State::Free;
  std::uint8_t overtaken = 0;  ///< Grants given to later tickets; capped (see table.hpp).
  std::int16_t priority = 0;   ///< Higher first.
  std::uint64_t sequence = 0;  ///< Order of arrival; the only order within a priority.
  std::uint64_t start = 0;     ///< Start time of the supervisor.
  std::uint64_t pid_namespace = 0;
  std::int32_t pid = 0;  ///< Supervisor.
  std::uint32_t uid = 0;
  std::uint32_t boot = 0;
  RunId run_id{};
  std::uint32_t rejoin_key = 0;  ///< Of the request: a call with the same key may take the place.
  std::uint32_t rejoin_ms = 0;   ///< How long the place is kept when the owner dies; 0: not at all.
  [[nodiscard]] sys::ProcessId supervisor() const noexcept { return {pid, start}; }
};
static_assert(sizeof(Entry) == 64);

/// What users and the cycle search need to know about a ticket.
struct Detail {
  std::uint32_t checksum = 0;
  std::uint32_t ancestor_count = 0;
  std::uint64_t sequence = 0;          ///< Of the entry this belongs to.
  std::int64_t enqueued_boottime = 0;  ///< Nanoseconds.
  std::int64_t started_boottime = 0;
  std::int64_t enqueued_wall = 0;  ///< Seconds since the epoch.
  std::int64_t started_wall = 0;
  std::int32_t tool_pid = 0;
  std::uint32_t may_prompt = 0;  ///< May open an editor or a prompt.
  std::uint64_t tool_start = 0;
  std::array<char, 32> tool{};
  std::array<char, 24> terminal{};
  std::array<char, 192> command{};
  std::array<char, 160> directory{};
  std::array<RunId, 4> ancestors{};  ///< Runs of other lanes above this ticket, nearest first.
  std::array<char, 16> agent{};      ///< Coding agent or CI that made the call, empty for a person.
  std::array<char, 344> ancestor_lanes{};  ///< Their lane files, each NUL-terminated.
  /// Opaque here; the owner's data for clearing away after it (LastRun::context).
  std::array<std::uint64_t, 8> context{};
  RunId pipeline_of{};            ///< The run beside which it started, if it did.
  std::uint32_t reads_input = 0;  ///< Its work comes from its standard input.
  std::array<char, 48> until{};   ///< When the holder gives the lane back early; for display only.
  std::int64_t released_boottime = 0;  ///< When it gave the lane back.
  std::uint64_t call_key = 0;          ///< TicketInfo::call_key.
};
static_assert(sizeof(Detail) == 1024);

/// Header of the file.
struct Header {
  std::uint32_t checksum = 0;
  std::uint32_t magic = kMagic;
  std::uint64_t next_sequence = 1;
  std::uint32_t high = 0;       ///< No slot at or above this is in use.
  std::uint32_t held = 0;       ///< Set by `onelane hold`: the granted ticket does not start.
  std::uint32_t held_by = 0;    ///< Uid of the user who set the hold; it outlasts their session.
  std::uint32_t left = 0;       ///< Whether any Left may be in use; if not, they are not read.
  std::int64_t held_since = 0;  ///< Seconds since the epoch, because a hold also outlasts a boot.
  std::array<char, 96> held_reason{};
  FileId file;  ///< As in LastRun; zero until a ticket has taken a place.
  std::array<char, 360> padding{};
};
static_assert(sizeof(Header) == 512);

/// The last run that took the lane. The record is open until every member has ended or was kept: a
/// granted ticket that finds it open knows that both supervisor and guardian died.
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
      context{};                      ///< Opaque here; the owner's data for clearing away after it.
  std::int64_t started_boottime = 0;  ///< Nanoseconds.
  RunId ran{};  ///< The last run that ran a tool: this one, unless it took a result.
  std::uint32_t unused = 0;
  FileId file;  ///< The lane file this was written to: in any other file it is a copy and describes
                ///< no run.
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
  /// It is a lane call in the background or has one below it: while its run holds the lane for such
  /// calls, a call below it is nested.
  std::uint8_t is_background = 0;
};
static_assert(sizeof(Kept) == 64);

/// A place in the queue whose owner was killed, or told to end, while it waited: a call with the
/// same key that comes in time gets it back. Only a remembered number: no ticket waits for it.
struct Left {
  std::uint32_t checksum = 0;
  std::uint32_t key = 0;            ///< Entry::rejoin_key.
  std::uint64_t sequence = 0;       ///< 0: unused.
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
inline constexpr off_t kRungAt = kLeftAt + off_t{kLeftSlots * sizeof(Left)};

/// Copies `text` into a fixed field, truncated and NUL-terminated.
template <std::size_t N>
void set_text(std::array<char, N>& field, std::string_view text) noexcept {
  const std::size_t length = text.size() < N - 1 ? text.size() : N - 1;
  field.fill('\0');
  text.copy(field.data(), length);
}

/// A run of another lane that is an ancestor of a call, and that lane's file.
struct Above {
  RunId run_id{};
  std::string lane_file;
};

}  // namespace onelane::lane
