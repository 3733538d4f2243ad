#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/lane/entries.hpp"
#include "core/lane/gate.hpp"
#include "core/lane/sleeper.hpp"
#include "core/lane/table.hpp"

namespace onelane::lane {

/// What becomes of the place of a ticket that leaves the queue.
enum class Leaving { ForGood, MayRejoin };

/// How far a ticket has come.
enum class Step {
  Started,    ///< We hold the lane; `unsettled()` may name a run to clear away first.
  Waiting,    ///< Somebody else is current.
  Held,       ///< Our turn, but the lane is on hold.
  Ready,      ///< Our turn, but the caller asked not to start.
  Cancelled,  ///< Somebody cancelled the ticket; it has left the queue.
  Gone,       ///< The lane file was removed or replaced: leave and look again.
  GateHeld,   ///< A process stays inside the gate (gate_holder.hpp): nothing can be known.
};

/// How Ticket::begin() ended.
enum class Begun {
  Yes,
  Cancelled,
  GateHeld,
  NotYet,  ///< Another run was killed as well: `unsettled()` names it, to be cleared away first.
};

/// What a waiting caller may show.
struct Place {
  std::size_t position = 0;  ///< 1 = next.
  std::size_t waiting = 0;   ///< Waiting tickets altogether.
  std::optional<Entry> holder;
  std::optional<Detail> holder_detail;
  State holder_state = State::Free;
  std::vector<Kept> background;  ///< What it has left there, and holds the lane for.
  bool is_next = false;          ///< It is our own turn: `holder` is us.
  Header header;                 ///< Tells who has put the lane on hold, and why.
};

/// One call's place in a lane, from enqueueing to the end of its run.
///
/// Exclusion comes from the kernel's lock on the lane byte alone; the table only decides
/// who asks for it next. Every wait is for the byte of the granted ticket, which nobody
/// overtakes, so waits inside a lane cannot form a circle. All locks die with the last
/// process that has the description: the supervisor, or after it the guardian.
///
/// Not copyable; one thread. The destructor leaves the queue when the run has not been
/// finished. Members throw SystemError where the lane cannot be used, and GateInterrupted
/// when an ending signal is pending, unless they say otherwise.
class Ticket {
 public:
  /// Takes a place at the end of its priority. Blocks for the gate, and while all slots
  /// are taken (then without a place of its own). `table` must outlive the ticket.
  Ticket(const Table& table, const TicketInfo& info);
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket();

  /// Looks whose turn it is, and starts if it is ours and `may_start`. Never blocks but for
  /// the gate.
  [[nodiscard]] Step advance(bool may_start = true);
  /// True when the last advance() found somebody new current: the lane has just changed
  /// hands, and the processor belongs to the one who got it.
  [[nodiscard]] bool has_seen_handover() const noexcept { return handover_; }
  /// After Waiting: the sequence of the ticket that is current; 0 where the lane is being let go.
  [[nodiscard]] std::uint64_t waits_for() const noexcept { return target_ ? target_->sequence : 0; }
  /// After Waiting: how many runs the current one has beside it (start_beside()).
  [[nodiscard]] std::size_t runs_beside() const noexcept { return runs_beside_; }
  /// After Waiting, Held or GateHeld: descriptors that become readable when advance() should be
  /// called again. Also call it one second after the first wait (see ticket.cpp).
  [[nodiscard]] std::array<int, 2> wake_fds();
  /// To be called when one of wake_fds() is readable, before advance().
  void drain() noexcept;

  /// Ctrl-Z: keeps the place, is not granted; a grant already given goes to the next. False while
  /// the gate is held, when no ticket is granted: to be called again when wake_fds() say so.
  [[nodiscard]] bool park();
  [[nodiscard]] bool unpark();
  /// Leaves the queue, also between Started and begin() (the open run before us then stays
  /// open for the next); harmless afterwards. MayRejoin is what happens to the killed, too, and
  /// to all while the gate is held.
  void leave(Leaving how = Leaving::ForGood) noexcept;
  /// True for a ticket that has the place of one that was killed while it waited.
  [[nodiscard]] bool has_rejoined() const noexcept { return rejoined_; }

  /// The run before us whose supervisor and guardian both died, if that is how we found the lane.
  [[nodiscard]] const std::optional<LastRun>& unsettled() const noexcept { return unsettled_; }
  /// While we wait: starts beside the run `holder`, of whose pipeline we are a part, if that is
  /// current and has nothing to clear away; else false. Then as after Started and begin(), but that
  /// the lane is still `holder`'s: once that has ended no other call gets it before our end. Needs
  /// a place.
  [[nodiscard]] bool start_beside(const RunId& holder);
  /// After start_beside(), again and again until it is true: takes the lane over from a holder that
  /// has ended. Blocks for the gate alone.
  [[nodiscard]] bool take_over() noexcept;
  /// True from start_beside() on.
  [[nodiscard]] bool is_beside() const noexcept { return !view(detail_.pipeline_of).empty(); }

  /// After Started: writes us down as the holder. Call after clearing `unsettled()`, and again
  /// while the gate is held. When the ticket was cancelled meanwhile leave(): that run stays open
  /// for the next.
  [[nodiscard]] Begun begin();
  /// After Started: the run that was the last one to run something in this lane; may be empty.
  [[nodiscard]] const RunId& ran_before() const noexcept { return ran_before_; }
  /// After begin(), where nothing was run: whoever comes next finds ran_before() as we did.
  void note_idle() noexcept;
  /// Writes down the runs of other lanes above the caller, nearest first; needed by the
  /// cycle search of others, so only once we wait.
  void set_above(const std::vector<Above>& above);
  /// Takes a slot as a service instead: listed, holds nothing. False when all slots are taken or
  /// the gate is held; it is on no list then.
  [[nodiscard]] bool enlist_service();
  /// After begin(): gives the lane to the next and goes on as a service, under the same run id.
  /// False where that failed: to be called again.
  [[nodiscard]] bool become_service() noexcept;
  /// How long the lane was held before become_service(), be it called in another process that
  /// shares our descriptors (the supervisor of a guardian); 0 where it was not.
  [[nodiscard]] std::chrono::milliseconds released_after() const noexcept;
  /// Writes down which process is the tool.
  void set_tool(const sys::ProcessId& tool) noexcept;

  /// First half of the end: clears the record and grants the next ticket. Waits for the
  /// gate whatever signal is pending. Also what the guardian calls after a crash: does
  /// nothing unless the record is still this run's.
  void close_record(const std::vector<Kept>& kept) noexcept;
  /// Writes down what lives on of a run that this one has cleared away after. Waits for the gate
  /// whatever signal is pending; for show, so a failure is silent.
  void write_down(const std::vector<Kept>& kept) const noexcept;
  /// In place of the end: nested calls are nested no more, unless they are below one of `kept` that
  /// is in the background; `keeper`, the guardian or we, is who to turn to. For the guardian to
  /// call as well. False where this run does not hold the lane. Waits for the gate.
  [[nodiscard]] bool go_on_in_background(const std::vector<Kept>& kept,
                                         const sys::ProcessId& keeper) noexcept;
  /// The guardian has the lane alone from here on: the locks stay.
  void hand_over() noexcept { life_ = Life::Over; }
  /// Second half: lets the lane byte go, then the slot byte.
  void release() noexcept;

  [[nodiscard]] const RunId& run_id() const noexcept { return entry_.run_id; }
  [[nodiscard]] const Table& table() const noexcept { return table_; }
  [[nodiscard]] std::size_t slot() const noexcept { return slot_; }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return entry_.sequence; }
  /// The run beside which we started; blank without start_beside().
  [[nodiscard]] const RunId& pipeline_of() const noexcept { return detail_.pipeline_of; }
  [[nodiscard]] bool reads_input() const noexcept { return detail_.reads_input != 0; }
  [[nodiscard]] Place place() const;
  /// Who keeps us from going on, after GateHeld.
  [[nodiscard]] const std::optional<GateHolder>& gate_holder() const noexcept {
    return gate_holder_;
  }
  /// When it got into the queue, on the clock of sys::boot_time().
  [[nodiscard]] std::chrono::nanoseconds queued() const noexcept {
    return std::chrono::nanoseconds{detail_.enqueued_boottime};
  }

 private:
  enum class Life { Queued, Started, Over };
  struct Target {
    off_t byte = 0;
    sys::LockKind kind = sys::LockKind::Read;
    std::uint64_t sequence = 0;
    bool is_gate = false;  ///< `byte` is one of the gate's file.
    friend bool operator==(const Target&, const Target&) = default;
  };

  [[nodiscard]] bool claim_slot(Header& header, std::vector<Entry>& entries);
  [[nodiscard]] bool take_place(Header& header, std::vector<Entry>& entries);
  [[nodiscard]] Step advance_inside(const Gate& gate, bool may_start);
  [[nodiscard]] Step try_start(const Header& header);
  [[nodiscard]] std::optional<Target> next_target();
  [[nodiscard]] bool waits_at_gate() const noexcept;
  [[nodiscard]] std::optional<Gate> enter_gate(Patience patience);
  void cancel_sleep() noexcept;
  void wake_sleepers() const;
  void write_running();
  void add_kept(const std::vector<Kept>& kept) const;
  void end_background() const;
  void set_state(State state);

  const Table& table_;
  std::size_t slot_ = 0;
  Entry entry_;
  Detail detail_;
  Life life_ = Life::Queued;
  std::optional<Target> target_;
  bool handover_ = false;
  std::size_t runs_beside_ = 0;
  bool rings_ = false;  ///< At release(): the next one runs already, beside us.
  bool rejoined_ = false;
  std::optional<LastRun> unsettled_;
  RunId ran_before_{};
  std::optional<Sleeper> sleeper_;
  sys::FileDescriptor watch_;
  std::optional<GateHolder> gate_holder_;
  sys::FileDescriptor gate_file_;  ///< Open only while we sleep at the gate (fcntl(2)).
};

/// The record of a run that has the lane from now on, as its ticket tells it.
[[nodiscard]] LastRun open_record_of(const Table& table, const Entry& entry, const Detail& detail);

/// With the gate held: a run that was killed beside another one that was, taken out of the table
/// and written down as the last run; unset when there is none.
[[nodiscard]] std::optional<LastRun> take_killed(const Table& table);

/// With the gate held: gives the lane to the best living ticket if nobody living has it,
/// clears dead ones on the way, counts overtaking. A dead one that ran beside leaves its record
/// open, so that the next one clears away after it. `own` is alive whatever its byte says
/// (our own locks do not count as locked). Returns the current slot.
std::optional<std::size_t> grant_next(const Table& table, std::vector<Entry>& entries,
                                      std::optional<std::size_t> own);

}  // namespace onelane::lane
