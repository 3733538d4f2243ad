#pragma once

#include <memory>
#include <optional>
#include <string>

#include "multicall/monitor/full_screen.hpp"
#include "multicall/monitor/keys.hpp"

namespace onelane::multicall::monitor {

/// The terminal on standard input and output as one full screen (ncurses). It is restored on
/// destruction, and by a handler when the program itself causes its death (SIGSEGV, SIGABRT …).
/// After a SIGKILL it cannot be: `stty sane; tput rmcup` restores it then.
///
/// One object per process; no other thread may exist.
class Terminal {
 public:
  /// Empty, with the reason in `why`, if the terminal has no full screen or is not known; nothing
  /// has been written to it then.
  [[nodiscard]] static std::unique_ptr<Terminal> open(bool colours, std::string& why);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  [[nodiscard]] Size size() const;
  /// Draws the differences from what is shown.
  void draw(const Screen& screen);
  /// The next key typed, if any; never blocks.
  [[nodiscard]] std::optional<Key> next_key();
  /// Adopts the size that the terminal has now.
  void fit();
  /// Redraws everything the next time.
  void forget();
  /// Restores the terminal until the next draw.
  void leave();

 private:
  struct Impl;
  explicit Terminal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace onelane::multicall::monitor
