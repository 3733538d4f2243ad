#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/process/signals.hpp"

namespace onelane::multicall::coalesce {

/// How long a look at the files may take altogether, and the signal that ends it early.
struct Patience {
  const process::Signals* signals = nullptr;  ///< Borrowed.
  std::chrono::nanoseconds until{};           ///< On the clock of sys::monotonic_time().
  int signal = 0;                             ///< INT, TERM, HUP or QUIT, once one has arrived.

  /// False once the time is over or a signal has arrived. On Ctrl-Z it stops this process.
  [[nodiscard]] bool goes_on();
};

/// A program to run for its output; it must only read.
struct Query {
  std::vector<std::string> argv;  ///< argv[0] an absolute path.
  std::string directory;
  std::vector<std::string> environment;          ///< The whole environment, as NAME=value.
  std::size_t longest = std::size_t{64} << 20U;  ///< Bytes of output that are accepted.
};

/// Runs the program and returns its output; nothing if it failed or wrote more than `longest`. It
/// gets a session of its own, no input, none of our descriptors and default signals. It is killed
/// and reaped when the patience is over, and dies with us. Throws SystemError if it cannot be
/// started.
[[nodiscard]] std::optional<std::string> ask(const Query& query, Patience& patience);

/// How much may be read before the look is given up.
struct Bounds {
  std::chrono::milliseconds time{5'000};
  std::uint64_t bytes = std::uint64_t{256} << 20U;  ///< In all files together.
};

/// The state of all files that git knows, as one hash: HEAD, the index, changed files and untracked
/// files that are not ignored, in a work tree and in the repositories below it.
struct TreeState {
  std::string digits;  ///< 32 hexadecimal digits; empty if there is no state.
  std::string why;     ///< Why there is none.
  int signal = 0;      ///< The signal that ended the look, 0 for none.
};

/// Reads the state of the work tree around `directory` with `git`, the path of the real one. Files
/// whose stat data git finds unchanged are not read; all others are read as they are on disk,
/// whatever attributes and textconv say. For a file as new as the index, git itself compares the
/// content, through the user's clean filter, as `git status` does. Writes nothing, not even the
/// index. Blocks no longer than `bounds` allow, or until an ending signal arrives.
[[nodiscard]] TreeState tree_state_of(const std::string& directory, const std::string& git,
                                      const process::Signals& signals, const Bounds& bounds = {});

}  // namespace onelane::multicall::coalesce
