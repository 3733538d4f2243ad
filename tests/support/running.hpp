#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace onelane::test {

/// How long to wait before a test gives up: far longer than necessary, because a busy machine is
/// not a failure.
inline constexpr std::chrono::milliseconds kDeadline{10'000};

/// Where a started program's descriptor leads.
enum class Stream { Captured, Null, Inherited, Closed, SocketPair };

/// How to start a program.
struct Start {
  Stream standard_output = Stream::Captured;
  Stream standard_error = Stream::Captured;
  Stream standard_input = Stream::Null;
  bool new_session = false;
  std::string directory;  ///< The project when empty.
  /// Runs in the child just before exec; may set masks, limits, descriptors.
  std::function<void()> before_exec;
};

/// How a program ended, and what it wrote.
struct Ended {
  int wait_status = 0;  ///< From waitpid(2).
  std::string out;
  std::string err;
  std::chrono::milliseconds took{0};

  [[nodiscard]] bool exited_with(int code) const;
  [[nodiscard]] bool died_of(int signal) const;
};

/// "exit 3" or "signal 15", for messages and transcripts.
[[nodiscard]] std::string describe_status(int wait_status);

/// A started program: our child, killed on destruction if it is still running.
class Running {
 public:
  Running(pid_t pid, int out, int err);
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running(Running&& other) noexcept;
  ~Running();

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Releases the child: the caller must wait for it and end it.
  [[nodiscard]] pid_t release();
  void signal(int signal) const;
  /// Reads both streams until the program has ended; throws after `limit`. Does not wait for end of
  /// file, which a process left behind may delay.
  Ended wait(std::chrono::milliseconds limit = kDeadline);
  /// True when no process has the captured standard output open; waits at most `limit`.
  bool output_closes(std::chrono::milliseconds limit);
  [[nodiscard]] bool is_running() const;

 private:
  void drain(int& fd, std::string& into);

  pid_t pid_;
  int out_;
  int err_;
  std::string out_text_;
  std::string err_text_;
  std::chrono::steady_clock::time_point started_;
};

/// fork, apply the options, execvpe. Throws when argv[0] cannot be executed.
[[nodiscard]] Running start_program(const std::vector<std::string>& argv,
                                    const std::vector<std::string>& environment,
                                    const Start& options);

/// True until the process is exiting, a zombie, or gone: a killed one runs no code of its own any
/// more.
[[nodiscard]] bool is_alive(pid_t pid);
/// Waits until `condition` holds, checking every 2 ms, at most `limit`; returns whether it does.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = kDeadline);

}  // namespace onelane::test
