#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "core/journal/run_log.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/job/capture/telling.hpp"
#include "multicall/job/capture/wiring.hpp"

namespace onelane::multicall::capture {

/// What happens to the output of a command.
struct Options {
  std::string log;       ///< A file to append it to as well; empty for none.
  bool as_json = false;  ///< Keep it, and print one object at the end, with the result.
};

/// What the process that goes on as the run must keep until its end.
struct Captured {
  std::shared_ptr<const Teller> teller;
  std::array<sys::FileDescriptor, 2> output;  ///< Where the tool writes to.
  sys::FileDescriptor ready;                  ///< Wiring::ready_fd.
};

/// Forks. The child returns and goes on as the run, with `wiring` set so that its output comes to
/// the parent: through pipes, or through a pty if standard output is a terminal and `as_json` is
/// off. The parent does not return: it copies the output, looks for the line that `wiring` waits
/// for, and ends as the child does. Throws SystemError before anything has run.
[[nodiscard]] Captured capture_output(Wiring& wiring, const Options& options);

/// Where the output of a detached run goes.
struct Place {
  std::string log_directory;
  journal::Retention retention;
  bool as_json = false;
};

/// The result of detach(), which returns in two processes; each has one member set.
struct Detached {
  std::optional<int> code;           ///< In the caller's process: its exit code.
  std::optional<Captured> captured;  ///< In the process that goes on as the run.
};

/// Forks: the run goes on in a session of its own, without input, with its output in `<id>.out` of
/// the log directory. The caller's process prints the run's id as soon as the run has a place; if
/// it gets none, the run's exit code is the caller's. Throws SystemError.
[[nodiscard]] Detached detach(Wiring& wiring, const Place& place);

}  // namespace onelane::multicall::capture
