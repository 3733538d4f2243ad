#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/running.hpp"

namespace onelane::test {

/// A real terminal with one program as its session leader. Echo is off, so everything that is read
/// was written by a program.
class Terminal {
 public:
  /// Starts `argv` in a new session on a new terminal of 80 × 24.
  Terminal(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
           const std::string& directory);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  /// Closes the terminal and kills the session leader.
  ~Terminal();

  /// The session leader: the shell, or the program itself.
  [[nodiscard]] pid_t leader() const { return pid_; }
  void send(std::string_view text) const;
  void interrupt() const { send("\x03"); }  ///< Ctrl-C
  void quit() const { send("\x1c"); }       ///< Ctrl-\.
  void suspend() const { send("\x1a"); }    ///< Ctrl-Z
  void resize(unsigned short rows, unsigned short columns) const;
  /// Foreground process group, or -1.
  [[nodiscard]] pid_t foreground() const;
  /// Reads until `text` has arrived; returns everything before it. Throws after `limit`.
  std::string expect(std::string_view text, std::chrono::milliseconds limit = kDeadline);
  /// Everything read but not yet expected, for messages.
  [[nodiscard]] const std::string& pending() const { return pending_; }
  /// Closes the master, which hangs up the other side.
  void hang_up();
  /// Raw wait status of the session leader. Throws after `limit`.
  int wait(std::chrono::milliseconds limit = kDeadline);

 private:
  void read_more();

  pid_t pid_ = -1;
  int master_ = -1;
  std::string pending_;
};

/// An interactive shell with job control on a terminal, and a prompt that no other program writes.
class Shell {
 public:
  enum class Kind { Bash, Dash, Zsh };
  Shell(Kind kind, std::vector<std::string> environment, const std::string& directory);

  [[nodiscard]] Terminal& terminal() { return terminal_; }
  /// Sends one line; does not wait.
  void type(const std::string& line) { terminal_.send(line + "\n"); }
  /// Sends a line and waits for the next prompt; returns what was written meanwhile.
  std::string command(const std::string& line);
  /// Waits until the shell reads its next line; returns what was written before.
  std::string wait_for_prompt();
  /// `$?` of the last command.
  int last_status();
  /// Types `wait %1` and waits until the shell is in it: some shells forget a job that ends
  /// earlier.
  void start_waiting();
  /// True while the shell's own group has the terminal.
  [[nodiscard]] bool is_in_foreground() { return terminal_.foreground() == terminal_.leader(); }

 private:
  Terminal terminal_;
  int questions_ = 0;
};

/// "Bash", "Dash" or "Zsh".
[[nodiscard]] const char* name_of(Shell::Kind kind);

}  // namespace onelane::test
