#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/support/sandbox.hpp"

namespace onelane::test {

/// A terminal whose screen can be read: a tmux server of its own with one shell in it, in the
/// sandbox's project and environment. The server ends with the object.
class Tmux {
 public:
  Tmux(Sandbox& sandbox, int columns, int rows);
  Tmux(const Tmux&) = delete;
  Tmux& operator=(const Tmux&) = delete;
  ~Tmux();

  /// Types text, or a key by tmux's name ("C-c", "Up", "Enter").
  void type(const std::string& text) { (void)tmux({"send-keys", "-t", "it", "-l", "--", text}); }
  void press(const std::string& key) { (void)tmux({"send-keys", "-t", "it", key}); }
  void resize(int columns, int rows);
  /// The current content of the screen.
  [[nodiscard]] std::string screen();
  /// Waits until `text` is on the screen; false if it never is.
  [[nodiscard]] bool shows(const std::string& text);
  /// Waits until `text` is gone from the screen; false if it stays.
  [[nodiscard]] bool loses(const std::string& text);
  /// Waits until the shell is back and has answered a command of its own.
  [[nodiscard]] bool is_at_prompt();
  /// True while a program uses the alternate screen.
  [[nodiscard]] bool is_on_second_screen();
  /// Output of `stty -a` for the terminal, run from outside.
  [[nodiscard]] std::string modes();

 private:
  std::string tmux(const std::vector<std::string>& words);

  Sandbox& sandbox_;
  std::string socket_;
  int questions_ = 0;
};

}  // namespace onelane::test
