#pragma once

#include <chrono>
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

}  // namespace onelane::multicall::coalesce
