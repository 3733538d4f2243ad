#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/journal/usual.hpp"
#include "core/lane/ticket.hpp"
#include "multicall/shim/forecast.hpp"

namespace onelane::multicall {

/// The waiting notice: silent for 400 ms, then on standard error only.
///
/// On a terminal one line, redrawn on events and once a second while we are in its
/// foreground group; elsewhere, and with TERM=dumb, one line at the start, at each change of
/// position, then after 1, 5, 15, 30 minutes and every 30 minutes, which says that the call is
/// queued. Prefix `onelane: ` always, never a colour. ONELANE_QUIET silences.
///
/// How long the others usually take is read from the journal in `state_dir` when the first line is
/// written, and of each kind of run once.
class WaitNotice {
 public:
  WaitNotice(std::string lane_name, std::string state_dir, bool is_quiet);

  /// To be called after each step of the wait, and when until_next() is over.
  /// `obstacle` is what keeps us although nobody is before us; empty for the holder. That the lane
  /// is on hold is said in any case.
  void update(const lane::Ticket& ticket, const std::string& obstacle);
  /// How long update() need not be called when nothing happens.
  [[nodiscard]] std::chrono::milliseconds until_next() const;
  /// The wait is over: clears the line. What is to be said when the tool starts, empty where
  /// nothing was shown.
  [[nodiscard]] std::string finish();
  /// The wait ended otherwise: clears the line.
  void clear();

  /// True once anything of it was written.
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
  std::chrono::nanoseconds next_{};  ///< Since since_.
  std::size_t shown_position_ = 0;
  std::size_t first_position_ = 0;
  bool shown_hold_ = false;
  bool shown_obstacle_ = false;
  std::string shown_;
  std::size_t reminders_ = 0;
  bool hinted_ = false;  ///< How such a call would become a service has been said.
};

/// "running: make test (pid 4711, user ci, 3m12s)", with what such runs usually take if known.
[[nodiscard]] std::string holder_words(const lane::Place& place, const Forecast& forecast = {});

/// "the gate is held by make test (pid 12, stopped)", after Step::GateHeld.
[[nodiscard]] std::string gate_words(const lane::Ticket& ticket);

}  // namespace onelane::multicall
