#pragma once

#include <memory>
#include <optional>
#include <string>

#include "multicall/monitor/keys.hpp"
#include "multicall/monitor/screen.hpp"

namespace onelane::multicall::monitor {

/// The terminal on standard input and output as one full screen (ncurses), given back as it
/// was on destruction, and by a handler on a death that the program causes itself (SIGSEGV,
/// SIGABRT …). After a SIGKILL nobody can: `stty sane; tput rmcup` does it then.
///
/// One object a process; no thread may exist beside the caller's.
class Terminal {
 public:
  /// Nothing, and `why` says it, where the terminal has no full screen or is not known; nothing
  /// has been written to it then.
  [[nodiscard]] static std::unique_ptr<Terminal> open(bool colours, std::string& why);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal();

  [[nodiscard]] Size size() const;
  /// Draws what differs from what is there.
  void draw(const Screen& screen);
  /// The next key that has come; never blocks.
  [[nodiscard]] std::optional<Key> next_key();
  /// Takes the size that the terminal has now.
  void fit();
  /// Draws everything anew the next time.
  void forget();
  /// Gives the terminal back until the next draw.
  void leave();

 private:
  struct Impl;
  explicit Terminal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace onelane::multicall::monitor
