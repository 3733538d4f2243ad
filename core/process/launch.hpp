#pragma once

#include <sched.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/process/signals.hpp"

namespace onelane::process {

/// How the tool is scheduled; by default like the caller.
struct Scheduling {
  int nice = 0;                         ///< Added to the caller's (nice(2)).
  int io_priority = -1;                 ///< In the format of ioprio_set(2); -1 leaves it unchanged.
  const cpu_set_t* affinity = nullptr;  ///< Borrowed; processors the tool may use.
};

/// What to run. Everything is borrowed for the duration of the call.
struct Command {
  const char* path = nullptr;         ///< Absolute path of the real tool.
  const char* const* argv = nullptr;  ///< NULL-terminated, argv[0] as the caller wrote it.
  const char* const* environment = nullptr;
  std::array<int, 2> output{-1, -1};  ///< The tool's descriptors 1 and 2; -1: the caller's.
  Scheduling scheduling;
};

/// Outcome of a launch: a child, or the errno of fork or exec.
struct Launched {
  pid_t pid = -1;
  int error = 0;
};

/// Starts the tool in the caller's process group, session and terminal, with the caller's signals
/// and with every descriptor of the caller under its number (jobserver, `<(…)`, NODE_CHANNEL_FD):
/// nothing is closed, ours are close-on-exec. The child asks for SIGTERM if we die
/// (PR_SET_PDEATHSIG), and does not start if we already have.
///
/// Where LISTEN_PID, WATCHDOG_PID and SYSTEMD_EXEC_PID name us they name the child: a process that
/// reads one compares it with its own pid (sd_listen_fds(3), sd_watchdog_enabled(3)).
///
/// Boost.Process v2 launches, through a launcher of ours: its own closes descriptors above
/// its highest (v2/posix/detail/close_handles.ipp) and reports a failed exec through a
/// pipe. Blocks until the exec has happened; the caller waits for the child.
[[nodiscard]] Launched launch(const Command& command, const Signals& signals);

/// The environment of a child that takes our place: where LISTEN_PID, WATCHDOG_PID and
/// SYSTEMD_EXEC_PID name us they name the child, and so does LISTEN_PIDFDID. A program obeys such a
/// variable only when it holds the program's own pid (sd_listen_fds(3), sd_watchdog_enabled(3),
/// systemd.exec(5)).
///
/// Made before the clone; the child, whose pid is not known earlier, writes it in. Costs one look
/// at each entry when no variable names us.
class ChildEnvironment {
 public:
  /// Borrows `environment`, NULL-terminated.
  explicit ChildEnvironment(const char* const* environment);
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

  [[nodiscard]] const char* const* data() const noexcept { return environment_; }
  /// Called in the child, which may share our memory; async-signal-safe.
  void name_self() noexcept;

 private:
  /// "NAME=" with room for a number.
  class Number {
   public:
    explicit Number(std::string_view name) noexcept;
    [[nodiscard]] const char* text() const noexcept { return text_.data(); }
    void set(std::uint64_t number) noexcept;

   private:
    std::size_t length_;
    std::array<char, 48> text_{};
  };
  [[nodiscard]] const char* replacement_of(const char* entry) const noexcept;

  const char* const* environment_;
  std::vector<const char*> copy_;  ///< Empty when no variable names us.
  bool listens_ = false;           ///< LISTEN_PID names us.
  std::vector<Number> pids_;
  Number pidfd_;
};

/// For a forked child that takes over from `before`: variables of our own environment that name
/// `before` then name us. Allocates.
void take_names_of(pid_t before);

}  // namespace onelane::process
