#pragma once

#include <boost/interprocess/sync/scoped_lock.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/lane/mutex.hpp"
#include "core/process/supervisor.hpp"
#include "multicall/shim/additions.hpp"
#include "multicall/shim/lane_place.hpp"
#include "multicall/shim/plan.hpp"
#include "multicall/shim/take_over.hpp"

namespace onelane::multicall {

/// A call's turn in its lane, from the wait for it to the moment at which the lane is free again; a
/// service has a place in the list instead. Without a lane, or where the call has to run beside it
/// all the same, there is no ticket and all of this does nothing.
///
/// The lane is held by a Boost scoped_lock of the lane's mutex: whatever ends this object lets the
/// lane go, and so does the kernel when the process is killed.
class Turn {
 public:
  /// All outlive it.
  Turn(const Plan& plan, const process::Signals& signals, const process::RunTraits& traits,
       Additions& additions)
      : plan_{plan}, signals_{signals}, traits_{traits}, additions_{additions} {}

  /// Blocks until the call may run, and clears away after a last run whose supervisor and guardian
  /// both died. An exit code when there is nothing to run. Throws SystemError where the lane
  /// cannot be used.
  [[nodiscard]] std::optional<int> wait();
  /// Waits for a lock of git's that another program has left or holds; not beside the holder,
  /// whose lock it most likely is.
  void wait_for_index_lock();
  /// What is to be said when the tool starts; empty for nothing.
  [[nodiscard]] const std::string& start_notice() const noexcept { return start_notice_; }

  /// Null without one.
  [[nodiscard]] lane::Ticket* ticket() noexcept { return mutex_ ? &mutex_->ticket() : nullptr; }
  [[nodiscard]] const lane::Ticket* ticket() const noexcept {
    return mutex_ ? &mutex_->ticket() : nullptr;
  }
  [[nodiscard]] const LanePlace& place() const noexcept { return place_; }
  [[nodiscard]] const process::RunTraits& traits() const noexcept { return traits_; }
  [[nodiscard]] const process::Signals& signals() const noexcept { return signals_; }
  /// Empty without a ticket.
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }
  /// Started beside the holder, as a part of its pipeline.
  [[nodiscard]] bool is_beside() const noexcept { return ticket() && ticket()->is_beside(); }
  /// Takes the lane over from a holder beside which the run started.
  [[nodiscard]] TakeOver& take_over() noexcept { return take_over_; }
  /// For the guardian: the descriptors that have the locks.
  [[nodiscard]] std::vector<int> descriptors() const;

  /// Which process is the tool, for those who look at the lane.
  void name_tool(const sys::ProcessId& tool) noexcept;
  /// A command that another one follows has left this running.
  void note_kept(const std::vector<process::KeptProcess>& kept) noexcept;
  [[nodiscard]] const std::vector<lane::Kept>& kept() const noexcept { return kept_; }
  /// Leaves the lane to the guardian where lane calls go on in the background; false, with the
  /// lane still ours, where none do.
  [[nodiscard]] bool go_on_in_background(process::Supervisor& supervisor) noexcept;
  /// The end in two halves, with the guardian told between them (run_call.cpp): clears the record
  /// while the lane is held, then lets the lane go.
  void close_record(const std::vector<process::KeptProcess>& kept) noexcept;
  void free() noexcept;
  /// The turn is over before anything has run: the next one finds the lane as we did.
  void free_unused() noexcept;
  /// A signal ends the call where no supervisor looks after it. Does nothing for 0.
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
};

/// Adds what the run `run_id` left running on purpose, as the lane writes it down.
void add_kept(std::vector<lane::Kept>& records, const std::vector<process::KeptProcess>& kept,
              const std::string& run_id);

}  // namespace onelane::multicall
