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

/// What becomes of a command's output.
struct Options {
  std::string log;       ///< A file that gets it, too; empty for none.
  bool as_json = false;  ///< Kept, and printed at the end as one object with how it ended.
};

/// In the process that goes on as the run: to be kept until its end.
struct Captured {
  std::shared_ptr<const Teller> teller;
  std::array<sys::FileDescriptor, 2> output;  ///< Where the tool writes to.
  sys::FileDescriptor ready;                  ///< Wiring::ready_fd.
};

/// Splits the process. The child returns and goes on as the run, with `wiring` set so that its
/// output reaches us: through pipes, or through a pty where standard output is a terminal and
/// nothing is kept for `--json`. A line that `wiring` waits for is looked for on the way. The
/// caller's process copies it until then and ends as the child does; it does not return. Throws
/// SystemError before anything has run.
[[nodiscard]] Captured capture_output(Wiring& wiring, const Options& options);

/// Where the output of a detached run goes.
struct Place {
  std::string log_directory;
  journal::Retention retention;
  bool as_json = false;
};

/// One side of a process that has been split.
struct Detached {
  std::optional<int> code;           ///< In the caller's process: its exit code.
  std::optional<Captured> captured;  ///< In the process that goes on as the run.
};

/// Splits the process: the run goes on in a session of its own, with nothing to read, its output
/// in `<id>.out` of the log directory. The caller's process prints the run's id as soon as it has
/// a place; the code of a run that came to none is its own. Throws SystemError.
[[nodiscard]] Detached detach(Wiring& wiring, const Place& place);

}  // namespace onelane::multicall::capture
