#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/lane/ticket.hpp"

namespace onelane::multicall {

/// The waiting notice: silent for 400 ms, then on standard error only.
///
/// On a terminal one line, redrawn on events and once a second while we are in its
/// foreground group; elsewhere one line at the start, at each change of position, then after 1, 5,
/// 15, 30 minutes and every 30 minutes. Prefix `onelane: ` always. ONELANE_QUIET silences.
class WaitNotice {
 public:
  WaitNotice(std::string lane_name, bool is_quiet);

  /// To be called after each step of the wait, and when until_next() is over.
  void update(const lane::Ticket& ticket, bool on_hold);
  /// How long update() need not be called when nothing happens.
  [[nodiscard]] std::chrono::milliseconds until_next() const;
  /// The wait is over: clears the line; says how long it took if it was shown.
  void started();
  /// The wait ended otherwise: clears the line.
  void clear();

  [[nodiscard]] std::chrono::nanoseconds waited() const;

 private:
  [[nodiscard]] std::string line(const lane::Place& place, bool on_hold) const;
  void draw(const std::string& text);

  std::string lane_name_;
  bool quiet_;
  bool terminal_;
  std::chrono::nanoseconds since_;   ///< Boot time.
  std::chrono::nanoseconds next_{};  ///< Since since_.
  std::size_t shown_position_ = 0;
  std::size_t first_position_ = 0;
  std::string shown_;
  std::size_t reminders_ = 0;
  bool hinted_ = false;  ///< How such a call would become a service has been said.
};

/// "running: make test (pid 4711, user ci, 3m12s)".
[[nodiscard]] std::string holder_words(const lane::Place& place);

}  // namespace onelane::multicall
