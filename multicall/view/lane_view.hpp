#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/usual.hpp"
#include "core/lane/gate.hpp"
#include "core/lane/left.hpp"
#include "core/lane/table.hpp"

namespace onelane::multicall {

/// What a run uses at one moment.
struct TreeUse {
  std::size_t processes = 0;
  /// Anonymous, shared and swapped; shared memory counts once per process.
  std::uint64_t bytes = 0;
};

/// One ticket as shown to people and programs. Text may hold what a caller chose: clean it before
/// it reaches a terminal.
struct TicketView {
  std::string id;  ///< Run id.
  lane::State state = lane::State::Waiting;
  std::string tool;
  std::string command;
  std::string directory;
  std::string terminal;  ///< "/dev/pts/3"; empty for none.
  std::string agent;     ///< Empty for a person.
  std::string user;
  unsigned uid = 0;
  bool is_here = true;        ///< In our PID namespace; otherwise its pids mean nothing here.
  sys::ProcessId supervisor;  ///< Zero unless is_here; so is `tool_process`.
  sys::ProcessId tool_process;
  bool is_stopped = false;  ///< The tool or its supervisor, or the call that waits (Ctrl-Z).
  bool is_supervisor_stopped = false;  ///< Only the supervisor: the tool goes on unsupervised.
  bool may_prompt = false;             ///< May sit in an editor or prompt.
  std::string pipeline_of;             ///< Id of the run beside which it started; empty for most.
  std::string until;                   ///< "port 3000 listens": when it gives the lane back early.
  /// How long after its start it gave the lane back.
  std::optional<std::chrono::milliseconds> released;
  int priority = 0;
  unsigned overtaken = 0;  ///< How many later tickets went first.
  std::uint64_t sequence = 0;
  std::uint64_t call_key = 0;  ///< Equal for identical calls; 0: never identical.
  /// Place, from 1, of the first identical call in the queue; 0 if none is before it.
  std::size_t same_as = 0;
  std::int64_t enqueued_wall = 0;     ///< Seconds since the epoch.
  std::int64_t started_wall = 0;      ///< 0 before it runs.
  std::chrono::nanoseconds waited{};  ///< Until it started, or until now.
  std::chrono::nanoseconds running{};
  std::optional<std::chrono::milliseconds> usual;  ///< Median duration of such runs.
  /// Time until it starts; empty when a call ahead of it has no usual duration, or the lane is on
  /// hold. Never negative.
  std::optional<std::chrono::milliseconds> eta;
  bool is_overdue = false;  ///< The holder has taken longer than usual; `eta` does not count it.
  /// Calls that its tool, which has ended, left running, and for which it keeps the lane.
  std::vector<lane::Kept> background;
  std::optional<TreeUse> use;  ///< Filled only by measure().

  [[nodiscard]] bool has_started() const noexcept {
    return lane::has_lane(state) || state == lane::State::Service;
  }
};

/// Who paused a lane. Text may hold what a caller chose.
struct HoldView {
  std::string by;
  std::int64_t since_wall = 0;  ///< Seconds since the epoch.
  std::string reason;           ///< Empty for none.
  std::string words;            ///< "on hold by anna for 3m (disk swap)", printable.
};

/// A lane at one moment, without dead tickets.
struct LaneView {
  std::optional<TicketView> holder;
  std::vector<TicketView> beside;  ///< Runs of the holder's pipeline, in the order of arrival.
  std::vector<TicketView> queue;   ///< In the order in which they will start.
  std::vector<TicketView> services;
  std::vector<lane::Kept> kept;       ///< Only those still alive.
  std::vector<lane::LeftPlace> left;  ///< Places of calls that were killed while waiting.
  bool is_on_hold = false;
  std::optional<HoldView> hold;
  /// Part of the file fails its checksum on every read, or is gone; its contents are missing here.
  bool is_torn = false;
  bool is_holder_unknown = false;  ///< The lane is held, and the file does not say by which run.
  std::optional<lane::GateHolder> gate_holder;  ///< Keeps the gate: no call can queue or start.
};

/// The message for is_holder_unknown().
inline constexpr std::string_view kHolderUnknown =
    "the lane file is damaged and does not say who runs: see `onelane doctor`";

/// Looks at a lane without taking its gate. Blocks for up to 0.4 s if the gate is busy. `usual` may
/// be null: durations are then unknown. Throws SystemError when the table cannot be read.
[[nodiscard]] LaneView view_of(const lane::Table& table, journal::Usual* usual);

/// True while the lane is held but no readable entry names the holder: the file is damaged. Blocks
/// for a tenth of a second in that case, since a run that begins or ends looks the same for a
/// moment. Throws SystemError when the table cannot be read.
[[nodiscard]] bool is_holder_unknown(const lane::Table& table);

/// "waiting", "parked", "granted", "running", "service", "cancelled",
/// "background": stable words.
[[nodiscard]] std::string_view word_of(lane::State state) noexcept;

/// True for a run whose call was killed, reaped or not: its guardian is ending what it left.
[[nodiscard]] bool is_clearing(const TicketView& ticket) noexcept;

/// Measures the processes of the holder and the services. Those in another PID namespace stay
/// without `use`.
void measure(LaneView& view);

/// One process of a run.
struct ProcessView {
  sys::ProcessStat stat;
  int depth = 0;            ///< Below the supervisor: the tool has 0.
  std::uint64_t bytes = 0;  ///< Anonymous, shared and swapped memory.
};

/// The processes of a run, parents before children, without onelane's own; empty for a run in
/// another PID namespace. Reads /proc for each; for other users' processes `bytes` is the resident
/// size.
[[nodiscard]] std::vector<ProcessView> processes_of(const TicketView& ticket);

}  // namespace onelane::multicall
