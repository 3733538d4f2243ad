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

/// What happens to the place of a ticket that leaves the queue.
enum class Leaving { ForGood, MayRejoin };

/// How far a ticket has come.
enum class Step {
  Started,    ///< We hold the lane; `unsettled()` may name a run to clear away first.
  Waiting,    ///< Another ticket is current.
  Held,       ///< Our turn, but the lane is on hold.
  Ready,      ///< Our turn, but the caller asked not to start yet.
  Cancelled,  ///< The ticket was cancelled and has left the queue.
  Gone,       ///< The lane file was removed or replaced: leave and look again.
  GateHeld,   ///< A process stays inside the gate (gate.hpp): the state of the lane is
              ///< unknown.
};

/// How Ticket::begin() ended.
enum class Begun {
  Yes,
  Cancelled,
  GateHeld,
  NotYet,  ///< Another run was killed too: `unsettled()` names it; clear away after it first.
};

/// What a waiting caller may display.
struct Place {
  std::size_t position = 0;  ///< 1 = next.
  std::size_t waiting = 0;   ///< Waiting tickets altogether.
  std::optional<Entry> holder;
  std::optional<Detail> holder_detail;
  State holder_state = State::Free;
  std::vector<Kept> background;  ///< Its background processes, for which it holds the lane.
  bool is_next = false;          ///< It is our own turn: `holder` is this ticket.
  Header header;                 ///< Says which user has put the lane on hold, and why.
};

/// One call's place in a lane, from enqueueing to the end of its run.
///
/// Exclusion comes from the kernel's lock on the lane byte alone; the table only decides which
/// ticket asks for it next. A waiting ticket sleeps on the byte of the living ticket just before it
/// in the waiting order, the first one on that of the current ticket, as in the queue lock of
/// Mellor-Crummey and Scott (TOCS 9(1), 1991): a hand-over wakes one process, however many wait.
/// Every ticket sleeps on one that goes before it, so waits inside a lane cannot form a cycle.
/// A ticket that parks frees its byte; a change that puts a ticket before the one it sleeps on, or
/// makes one wait again that had stopped to, rings (Table::ring()). tests/model checks all of it.
/// All locks are released with the last process that has the description: the supervisor, or after
/// it the guardian.
///
/// Not copyable; for one thread. The destructor leaves the queue when the run has not been
/// finished. Members throw SystemError when the lane cannot be used, and GateInterrupted when an
/// ending signal is pending, unless they say otherwise.
class Ticket {
 public:
  /// Takes a place at the end of its priority. Blocks for the gate, and while all slots are taken
  /// (without a place until then). `table` must outlive the ticket.
  Ticket(const Table& table, const TicketInfo& info);
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket();

  /// Checks whose turn it is, and starts if it is ours and `may_start`. Blocks only for the gate.
  [[nodiscard]] Step advance(bool may_start = true);
  /// After Waiting: the current ticket; nullopt while the lane is being released. A hand-over wakes
  /// only the ticket that is next, so the others may know a former one.
  [[nodiscard]] const std::optional<Entry>& current() const noexcept { return current_; }
  /// After Waiting: how many tickets wait.
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  /// After Waiting: the number of runs beside the current one (start_beside()).
  [[nodiscard]] std::size_t runs_beside() const noexcept { return runs_beside_; }
  /// After Waiting, Held or GateHeld: descriptors that become readable when advance() should be
  /// called again.
  [[nodiscard]] std::array<int, 2> wake_fds();
  /// True when no ring reaches us: with many waiting, only the first ones watch the file, because a
  /// user has few inotify instances (128 by default, inotify(7)), which editors need too. Then ask
  /// has_missed() once a second.
  [[nodiscard]] bool is_deaf() const noexcept { return !watch_.is_open(); }
  /// True when advance() should be called: after a ring, when the lane's file is gone, and always
  /// while we have no place, as all slots are taken.
  [[nodiscard]] bool has_missed() const noexcept;
  /// Call it before advance() when one of wake_fds() is readable.
  void drain() noexcept;

  /// For Ctrl-Z: keeps the place, but is not granted; a grant already given goes to the next
  /// ticket. False while the gate is held, when no ticket is granted: call it again when wake_fds()
  /// become readable.
  [[nodiscard]] bool park();
  [[nodiscard]] bool unpark();
  /// Leaves the queue, also between Started and begin() (the previous run's open record is then
  /// left to the next ticket); harmless afterwards. MayRejoin keeps the place, as for a killed
  /// call; while the gate is held, every ticket leaves that way.
  void leave(Leaving how = Leaving::ForGood) noexcept;
  /// True for a ticket that got the place of one that was killed while it waited.
  [[nodiscard]] bool has_rejoined() const noexcept { return rejoined_; }

  /// The previous run, if both its supervisor and guardian died and we found the lane that way.
  [[nodiscard]] const std::optional<LastRun>& unsettled() const noexcept { return unsettled_; }
  /// While we wait: starts beside the run `holder`, whose pipeline we are part of, if that run is
  /// current and has nothing to clear away; else false. Afterwards the state is as after Started
  /// and begin(), except that the lane is still `holder`'s: once that has ended, no other call gets
  /// the lane before our end. Needs a place.
  [[nodiscard]] bool start_beside(const RunId& holder);
  /// Call it after start_beside(), repeatedly until true: takes the lane over from a holder that
  /// has ended. Blocks for the gate alone.
  [[nodiscard]] bool take_over() noexcept;
  /// True after start_beside().
  [[nodiscard]] bool is_beside() const noexcept { return !view(detail_.pipeline_of).empty(); }

  /// After Started: records us as the holder. Call it after clearing `unsettled()`, and again while
  /// the gate is held. When the ticket was cancelled meanwhile, call leave(): the open record is
  /// left to the next ticket.
  [[nodiscard]] Begun begin();
  /// After Started: the last run that ran a tool in this lane; may be empty.
  [[nodiscard]] const RunId& ran_before() const noexcept { return ran_before_; }
  /// After begin(), when no tool was run: the next ticket then finds the same ran_before() as we
  /// did.
  void note_idle() noexcept;
  /// Records the runs of other lanes above the caller, nearest first. The cycle search of other
  /// calls needs them, so call it only once we wait.
  void set_above(const std::vector<Above>& above);
  /// Takes a slot as a service instead: listed, but does not hold the lane. False when all slots
  /// are taken or the gate is held; the service is then not listed.
  [[nodiscard]] bool enlist_service();
  /// After begin(): gives the lane to the next ticket and continues as a service under the same run
  /// id. False when that failed: call it again.
  [[nodiscard]] bool become_service() noexcept;
  /// How long the lane was held before become_service(), also when that was called in another
  /// process that shares our descriptors (the supervisor of a guardian); 0 when it was not called.
  [[nodiscard]] std::chrono::milliseconds released_after() const noexcept;
  /// Records which process is the tool.
  void set_tool(const sys::ProcessId& tool) noexcept;

  /// First half of the end: clears the record and grants the next ticket. Waits for the gate
  /// whatever signal is pending. The guardian calls it too, after a crash: it does nothing unless
  /// the record is still this run's.
  void close_record(const std::vector<Kept>& kept) noexcept;
  /// Records the processes that live on from a run that this one has cleared away after. Waits for
  /// the gate whatever signal is pending. For display only, so a failure is silent.
  void write_down(const std::vector<Kept>& kept) const noexcept;
  /// In place of the end: nested calls are no longer nested, unless they are below a process of
  /// `kept` that is in the background. `keeper`, the guardian or this process, is recorded as the
  /// supervisor. The guardian may call it too. False when this run does not hold the lane. Waits
  /// for the gate.
  [[nodiscard]] bool go_on_in_background(const std::vector<Kept>& kept,
                                         const sys::ProcessId& keeper) noexcept;
  /// From here on only the guardian holds the lane: the locks stay.
  void hand_over() noexcept { life_ = Life::Over; }
  /// Second half: releases the lane byte, then the slot byte.
  void release() noexcept;

  [[nodiscard]] const RunId& run_id() const noexcept { return entry_.run_id; }
  [[nodiscard]] const Table& table() const noexcept { return table_; }
  [[nodiscard]] std::size_t slot() const noexcept { return slot_; }
  [[nodiscard]] std::uint64_t sequence() const noexcept { return entry_.sequence; }
  /// The run beside which we started; blank without start_beside().
  [[nodiscard]] const RunId& pipeline_of() const noexcept { return detail_.pipeline_of; }
  [[nodiscard]] bool reads_input() const noexcept { return detail_.reads_input != 0; }
  [[nodiscard]] Place place() const;
  /// After GateHeld: the process that keeps us from going on.
  [[nodiscard]] const std::optional<GateHolder>& gate_holder() const noexcept {
    return gate_holder_;
  }
  /// When it joined the queue, on the clock of sys::boot_time().
  [[nodiscard]] std::chrono::nanoseconds queued() const noexcept {
    return std::chrono::nanoseconds{detail_.enqueued_boottime};
  }

 private:
  enum class Life { Queued, Started, Over };
  struct Target {
    off_t byte = 0;
    sys::LockKind kind = sys::LockKind::Read;
    std::uint64_t sequence = 0;
    bool is_gate = false;  ///< `byte` is in the gate's file.
    friend bool operator==(const Target&, const Target&) = default;
  };

  [[nodiscard]] bool claim_slot(Header& header, std::vector<Entry>& entries,
                                std::uint64_t sequence);
  void take_slot(std::size_t slot, Header& header, std::vector<Entry>& entries);
  [[nodiscard]] bool take_place(Header& header, std::vector<Entry>& entries);
  [[nodiscard]] Step advance_inside(const Gate& gate, bool may_start);
  [[nodiscard]] Step try_start(const Header& header);
  [[nodiscard]] Step look(bool may_start);
  void start_watch() noexcept;
  [[nodiscard]] std::optional<Target> next_target();
  [[nodiscard]] std::optional<Target> target_at(std::size_t slot, std::uint64_t sequence) const;
  void note_turn(const std::vector<Entry>& entries, std::optional<std::size_t> current);
  [[nodiscard]] bool waits_at_gate() const noexcept;
  [[nodiscard]] std::optional<Gate> enter_gate(Patience patience);
  void cancel_sleep() noexcept;
  void free_ticket_byte() const noexcept;
  void free_bytes() const noexcept;
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
  std::optional<Entry> current_;
  std::size_t runs_beside_ = 0;
  bool rings_ = false;  ///< At release(): the next one already runs, beside us.
  bool rejoined_ = false;
  std::optional<LastRun> unsettled_;
  RunId ran_before_{};
  std::optional<Sleeper> sleeper_;
  std::size_t waiting_ = 0;  ///< Tickets that waited at the last look.
  std::int64_t rung_ = 0;    ///< Table::rung_at() before the last look.
  bool wants_watch_ =
      true;  ///< It has not been asked for; without an instance left it stays closed.
  sys::FileDescriptor watch_;
  std::optional<GateHolder> gate_holder_;
  sys::FileDescriptor gate_file_;  ///< Open only while we sleep at the gate (fcntl(2)).
};

/// The record of a run that has the lane from now on, built from its ticket's parts.
[[nodiscard]] LastRun open_record_of(const Table& table, const Entry& entry, const Detail& detail);

/// Call with the gate held. Takes a run that was killed beside another killed run out of the table
/// and records it as the last run; nullopt when there is none.
[[nodiscard]] std::optional<LastRun> take_killed(const Table& table);

/// Call with the gate held. The living ticket just before the waiting ticket `slot`; clears dead
/// ones on the way. nullopt for the first.
std::optional<std::size_t> living_predecessor_of(const Table& table, std::vector<Entry>& entries,
                                                 std::size_t slot);

/// Call with the gate held. Gives the lane to the best living ticket if no living ticket has it,
/// clears dead ones on the way, and counts overtaking. A dead ticket that ran beside the holder
/// leaves its record open, so that the next one clears away after it. `own` counts as alive
/// whatever its byte says (our own locks do not count as locked). Returns the current slot.
std::optional<std::size_t> grant_next(const Table& table, std::vector<Entry>& entries,
                                      std::optional<std::size_t> own);

}  // namespace onelane::lane
