#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/usual.hpp"
#include "core/lane/gate_holder.hpp"
#include "core/lane/left.hpp"
#include "core/lane/table.hpp"

namespace onelane::multicall {

/// What a run uses at one moment.
struct TreeUse {
  std::size_t processes = 0;
  std::uint64_t bytes =
      0;  ///< Anonymous, shared and swapped; what processes share counts for each.
};

/// One ticket as people and programs are shown it. Text may hold what a caller chose: clean it
/// for a terminal.
struct TicketView {
  std::string id;  ///< Run id.
  lane::State state = lane::State::Waiting;
  std::string tool;
  std::string command;
  std::string directory;
  std::string terminal;  ///< "/dev/pts/3", empty for none.
  std::string agent;     ///< Empty for a person.
  std::string user;
  unsigned uid = 0;
  bool is_here = true;        ///< In our PID namespace; else its pids mean nothing to us.
  sys::ProcessId supervisor;  ///< Zero unless is_here; so is `tool_process`.
  sys::ProcessId tool_process;
  bool is_stopped = false;  ///< The tool or its supervisor, or the call that waits (Ctrl-Z).
  bool is_supervisor_stopped = false;  ///< It alone: the tool goes on, and is not looked after.
  bool may_prompt = false;             ///< May sit in an editor or prompt.
  std::string pipeline_of;             ///< Run id beside which it started; empty for most.
  std::string until;  ///< "port 3000 listens": when it gives the lane back before its end.
  /// After which time it did.
  std::optional<std::chrono::milliseconds> released;
  int priority = 0;
  unsigned overtaken = 0;  ///< By so many later tickets.
  std::uint64_t sequence = 0;
  std::uint64_t call_key = 0;  ///< 0: like no other.
  /// Place, from 1, of the first one in the queue that is the same call; 0 for none before it.
  std::size_t same_as = 0;
  std::int64_t enqueued_wall = 0;     ///< Seconds since the epoch.
  std::int64_t started_wall = 0;      ///< 0 before it runs.
  std::chrono::nanoseconds waited{};  ///< Until it started, or until now.
  std::chrono::nanoseconds running{};
  std::optional<std::chrono::milliseconds> usual;  ///< Duration of such runs.
  /// Until it starts; nothing when somebody before it has no usual duration, or the lane is on
  /// hold. Never negative.
  std::optional<std::chrono::milliseconds> eta;
  bool is_overdue = false;  ///< The holder has taken longer than usual: `eta` leaves it out.
  /// What its tool, which has ended, has left running, and it holds the lane for.
  std::vector<lane::Kept> background;
  std::optional<TreeUse> use;  ///< Filled by measure() alone.

  [[nodiscard]] bool has_started() const noexcept {
    return lane::has_lane(state) || state == lane::State::Service;
  }
};

/// Who has paused a lane. Text may hold what a caller chose.
struct HoldView {
  std::string by;
  std::int64_t since_wall = 0;  ///< Seconds since the epoch.
  std::string reason;           ///< Empty for none.
  std::string words;            ///< "on hold by anna for 3m (disk swap)", printable.
};

/// A lane at one moment, dead tickets left out.
struct LaneView {
  std::optional<TicketView> holder;
  std::vector<TicketView> beside;  ///< Runs of the holder's pipeline, in the order of arrival.
  std::vector<TicketView> queue;   ///< In the order in which they will start.
  std::vector<TicketView> services;
  std::vector<lane::Kept> kept;       ///< Those that still live.
  std::vector<lane::LeftPlace> left;  ///< Places of calls that were killed while they waited.
  bool is_on_hold = false;
  std::optional<HoldView> hold;
  /// A part of the file fails its checksum, again and again, or is gone: what it told is missing.
  bool is_torn = false;
  bool is_holder_unknown = false;  ///< Somebody has the lane, and the file does not say who.
  std::optional<lane::GateHolder>
      gate_holder;  ///< The process that stays in the gate: no call gets on.
};

/// What to say where is_holder_unknown().
inline constexpr std::string_view kHolderUnknown =
    "the lane file is damaged and does not say who runs: see `onelane doctor`";

/// Looks at a lane without its gate: blocks for 0.4 s at most, where the gate is busy.
/// `usual` may be null: then nothing is
/// known of durations. Throws SystemError when the table cannot be read.
[[nodiscard]] LaneView view_of(const lane::Table& table, journal::Usual* usual);

/// True while somebody holds the lane whom no entry names that can be read: the file is damaged.
/// Blocks for a tenth of a second where that is so, since a run that begins or ends is in between
/// for a moment. Throws SystemError when the table cannot be read.
[[nodiscard]] bool is_holder_unknown(const lane::Table& table);

/// "waiting", "parked", "granted", "running", "service", "cancelled",
/// "background": stable words.
[[nodiscard]] std::string_view word_of(lane::State state) noexcept;

/// True for a run whose call was killed, reaped or not: its guardian ends what it has left.
[[nodiscard]] bool is_clearing(const TicketView& ticket) noexcept;

/// Looks at the processes of the holder and the services; those in another PID namespace stay
/// without `use`.
void measure(LaneView& view);

/// One process of a run.
struct ProcessView {
  sys::ProcessStat stat;
  int depth = 0;            ///< Below the supervisor: the tool has 0.
  std::uint64_t bytes = 0;  ///< Anonymous, shared and swapped memory.
};

/// The processes of a run, parents before children, onelane's own left out: empty for one in
/// another PID namespace. Reads /proc for each; those of other users have what RSS says.
[[nodiscard]] std::vector<ProcessView> processes_of(const TicketView& ticket);

}  // namespace onelane::multicall
