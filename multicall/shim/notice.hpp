#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/journal/usual.hpp"
#include "core/lane/ticket.hpp"

namespace onelane::multicall {

/// How long a waiting call may have to wait.
struct Forecast {
  std::optional<std::chrono::milliseconds> usual;  ///< Usual duration of runs like the holder's.
  /// Until it is our turn; never negative. Nothing if a call ahead of us has no usual duration, or
  /// if the lane is on hold.
  std::optional<std::chrono::milliseconds> eta;
  bool is_overdue = false;  ///< The holder takes longer than usual; `eta` counts it as 0.
};

/// Reads the table, and the journal for what `usual` does not know yet; does not block otherwise.
/// Throws SystemError if the table cannot be read.
[[nodiscard]] Forecast forecast_of(const lane::Ticket& ticket, journal::Usual& usual);

/// The waiting notice: silent for 400 ms, then on standard error only.
///
/// On a terminal it is one line, redrawn on events and once a second while we are in its foreground
/// group. Elsewhere, and with TERM=dumb, it is a line at the start, when the lane is put on hold or
/// released, when the call has become the first, after about 1, 2, 4, 8, … seconds if its position
/// has changed, and after 1, 5, 15 and 30 minutes and then every 30 minutes. Always with
/// the prefix `onelane: `, never in colour. ONELANE_QUIET silences it.
///
/// Usual durations come from the journal in `state_dir`; it is read when the first line is written,
/// once for each kind of run.
class WaitNotice {
 public:
  WaitNotice(std::string lane_name, std::string state_dir, bool is_quiet);

  /// To be called after each step of the wait, and when until_next() is over. `obstacle` is shown
  /// in place of the holder, for a call that is next and still cannot start; empty for none. A hold
  /// is shown in any case.
  void update(const lane::Ticket& ticket, const std::string& obstacle);
  /// How long update() need not be called if nothing happens.
  [[nodiscard]] std::chrono::milliseconds until_next() const;
  /// The tool will start: clears the line. Returns what to say then; empty if nothing was shown.
  [[nodiscard]] std::string finish();
  /// The wait ended in another way: clears the line.
  void clear();

  /// True once a line has been written.
  [[nodiscard]] bool has_been_shown() const noexcept { return first_position_ != 0; }
  [[nodiscard]] std::chrono::nanoseconds waited() const;

 private:
  [[nodiscard]] std::string line(const lane::Ticket& ticket, const lane::Place& place,
                                 const std::string& obstacle);
  [[nodiscard]] std::string holder_line(const lane::Ticket& ticket, const lane::Place& place);
  void draw(const std::string& text);

  std::string lane_name_;
  journal::Usual usual_;
  bool quiet_;
  bool terminal_;
  std::chrono::nanoseconds since_;   ///< Boot time.
  std::chrono::nanoseconds next_{};  ///< When to look again, since since_.
  std::chrono::nanoseconds remind_at_{};
  std::size_t shown_position_ = 0;
  std::size_t first_position_ = 0;
  bool shown_hold_ = false;
  bool shown_obstacle_ = false;
  std::string shown_;
  std::size_t reminders_ = 0;
  bool hinted_ = false;  ///< The hint about services has been given.
};

/// "running: make test (pid 4711, user ci, 3m12s)", with the usual duration if it is known.
[[nodiscard]] std::string holder_words(const lane::Place& place, const Forecast& forecast = {});

/// "the gate is held by make test (pid 12, stopped)"; for use after Step::GateHeld.
[[nodiscard]] std::string gate_words(const lane::Ticket& ticket);

}  // namespace onelane::multicall
