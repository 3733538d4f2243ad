#pragma once

#include <boost/interprocess/sync/scoped_lock.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/lane/mutex.hpp"
#include "core/lane/ticket.hpp"
#include "core/process/judgement.hpp"
#include "core/process/supervisor.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/shim/additions.hpp"
#include "multicall/shim/plan.hpp"

namespace onelane::multicall {

/// Takes the lane over for a run that has started beside its holder, once the holder has ended.
/// Costs nothing for any other run.
class TakeOver {
 public:
  /// To be called once the run has its place: from then on wake() tells of the holder's end.
  /// Borrows the ticket.
  void begin(lane::Ticket& ticket) noexcept;
  /// For process::Run::wake; -1 if there is nothing to take over.
  [[nodiscard]] int wake() const noexcept { return watch_.get(); }
  /// To be called at each look; makes the next one come within a second, since a holder that is
  /// killed does not wake us.
  void look(process::Judgement& judgement) noexcept;

 private:
  lane::Ticket* ticket_ = nullptr;  ///< Null when there is nothing left to take over.
  sys::FileDescriptor watch_;
};

/// A call's turn in its lane, from the wait for it until the lane is free again; a service gets an
/// entry in the list of services instead. Without a lane, or if the call has to run without it
/// after all, there is no ticket and the functions do nothing.
///
/// A Boost scoped_lock on the lane's mutex holds the lane: the destructor releases it, and so does
/// the kernel when the process is killed.
class Turn {
 public:
  /// Borrows all of them.
  Turn(const Plan& plan, const process::Signals& signals, const process::RunTraits& traits,
       Additions& additions)
      : plan_{plan}, signals_{signals}, traits_{traits}, additions_{additions} {}

  /// Blocks until the call may run, and clears away after a previous run whose supervisor and
  /// guardian both died. Returns an exit code if the call must not run. Throws SystemError if the
  /// lane cannot be used.
  [[nodiscard]] std::optional<int> wait();
  /// Waits for a git lock that another program has left or holds; does nothing beside the holder,
  /// whose lock it most likely is.
  void wait_for_index_lock();
  /// What to say when the tool starts; empty for nothing.
  [[nodiscard]] const std::string& start_notice() const noexcept { return start_notice_; }

  /// The ticket, or null.
  [[nodiscard]] lane::Ticket* ticket() noexcept { return mutex_ ? &mutex_->ticket() : nullptr; }
  [[nodiscard]] const lane::Ticket* ticket() const noexcept {
    return mutex_ ? &mutex_->ticket() : nullptr;
  }
  [[nodiscard]] const LanePlace& place() const noexcept { return place_; }
  [[nodiscard]] const process::RunTraits& traits() const noexcept { return traits_; }
  [[nodiscard]] const process::Signals& signals() const noexcept { return signals_; }
  /// The id of the run; empty without a ticket.
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }
  /// True if the run has started beside the holder, as a part of its pipeline.
  [[nodiscard]] bool is_beside() const noexcept { return ticket() && ticket()->is_beside(); }
  /// Takes the lane over from the holder that the run has started beside.
  [[nodiscard]] TakeOver& take_over() noexcept { return take_over_; }
  /// The descriptors that hold the locks, for the guardian.
  [[nodiscard]] std::vector<int> descriptors() const;

  /// Tells the calls that wait, once the run has had the lane for a while, so that a part of its
  /// pipeline finds it: a hand-over wakes only the call whose turn it is. Call it at each look.
  void tell_waiting(std::chrono::nanoseconds running) noexcept;
  /// Writes down which process is the tool, for readers of the lane.
  void name_tool(const sys::ProcessId& tool) noexcept;
  /// Remembers what a command has left running, when another command follows.
  void note_kept(const std::vector<process::KeptProcess>& kept) noexcept;
  [[nodiscard]] const std::vector<lane::Kept>& kept() const noexcept { return kept_; }
  /// Hands the lane to the guardian if lane calls go on in the background. False, with the lane
  /// still ours, if none do.
  [[nodiscard]] bool go_on_in_background(process::Supervisor& supervisor) noexcept;
  /// The end in two halves; run_call.cpp tells the guardian between them. close_record() clears the
  /// record while the lane is held, free() releases the lane.
  void close_record(const std::vector<process::KeptProcess>& kept) noexcept;
  void free() noexcept;
  /// Releases the lane before anything has run, so that the next call finds it as this one did.
  void free_unused() noexcept;
  /// Releases the lane and dies of `signal`, while no supervisor runs. Does nothing for 0.
  void leave_by(int signal);

 private:
  [[nodiscard]] bool lock();
  [[nodiscard]] std::optional<int> take();
  void enlist();
  [[nodiscard]] lane::TicketInfo info();
  void let_removal_pass() const;
  void drop() noexcept;

  const Plan& plan_;
  const process::Signals& signals_;
  const process::RunTraits& traits_;
  Additions& additions_;
  LanePlace place_;
  std::string start_notice_;
  std::string run_id_;
  std::vector<lane::Kept> kept_;
  std::optional<lane::Table> table_;
  std::unique_ptr<lane::Waiter> waiter_;
  std::optional<lane::LaneMutex> mutex_;
  boost::interprocess::scoped_lock<lane::LaneMutex> lock_;  ///< Empty for a service.
  TakeOver take_over_;
  bool has_told_ = false;
};

/// Adds the lane's records of what the run `run_id` left running on purpose, each process once.
void add_kept(std::vector<lane::Kept>& records, const std::vector<process::KeptProcess>& kept,
              const std::string& run_id);

}  // namespace onelane::multicall
