#pragma once

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "tests/support/pty.hpp"
#include "tests/support/sandbox.hpp"

namespace onelane::test {

/// How the tool is started on the terminal.
enum class Shape {
  Foreground,
  Background,  ///< `make … &`
  Pipeline,    ///< `make … | reader`, where reader reads /dev/tty
  Script,      ///< `sh -c 'make …; echo'`
  Nested,      ///< make calls make
  Leader,      ///< no shell: what the shell would start is the session leader
};

/// What happens to it. "Top" is what the shell started: the tool, or the shim before it.
enum class Stimulus {
  Interrupt,
  Quit,
  SuspendThenForeground,
  SuspendThenBackground,
  HangUp,
  KillTop,
  KillGroup,
  SigkillTop,
  SigkillGroup,
};

/// What the tool does with signals, and when they come.
enum class Manner {
  Catches,       ///< Counts them and goes on; they come when the run has settled down.
  CatchesEarly,  ///< As Catches, but they come as soon as the tool runs.
  Dies,
};

struct Scenario {
  Shell::Kind shell;
  Shape shape;
  Stimulus stimulus;
  Manner manner = Manner::Catches;
};

/// "BashPipelineInterrupt", for test names.
[[nodiscard]] std::string name_of(const Scenario& scenario);
inline void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << name_of(scenario);
}

/// Why a combination makes no sense; empty if it does.
[[nodiscard]] std::optional<std::string> why_skipped(const Scenario& scenario);

/// What each process of a scenario saw. Two plays that look alike to user and tool are equal.
struct Transcript {
  /// Per role (tool, outer, reader): the trace in order, joined by blanks.
  std::map<std::string, std::string> roles;
  std::vector<std::string> foreground;  ///< Which group had the terminal, at each event.
  std::string status;                   ///< `$?`, or how the session leader ended.
  std::string printed;                  ///< What the script said after the tool.
  std::vector<std::string> left;        ///< What was alive when all should have been over.
  /// Shell and kernel each sent a SIGHUP; the two may have merged into one.
  bool may_repeat_hang_up = false;
  bool lane_is_free = true;  ///< The next run in the same project started.

  /// One fact a line, for comparison.
  [[nodiscard]] std::string text() const;
  /// How often `role` saw `signal` ("INT").
  [[nodiscard]] int count(const std::string& role, const std::string& signal) const;
};

/// What the user types (or a program executes, for Leader): the tool reports itself as
/// "ready" and waits at `gate`, the reader of a pipeline at `reader_gate`.
[[nodiscard]] std::string typed_line(const Scenario& scenario, const std::string& gate,
                                     const std::string& reader_gate);

/// Plays a scenario in a fresh sandbox. Throws when an expected step does not happen.
[[nodiscard]] Transcript play(const Scenario& scenario, Mode mode);

}  // namespace onelane::test
