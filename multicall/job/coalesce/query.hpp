#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/process/signals.hpp"

namespace onelane::multicall::coalesce {

/// How long a look at the files may take altogether, and what ends it before.
struct Patience {
  const process::Signals* signals = nullptr;  ///< Borrowed.
  std::chrono::nanoseconds until{};           ///< On the clock of sys::monotonic_time().
  int signal = 0;                             ///< INT, TERM, HUP or QUIT that has arrived.

  /// False once it is over. Ctrl-Z stops us in here.
  [[nodiscard]] bool goes_on();
};

/// A program that only reads.
struct Query {
  std::vector<std::string> argv;  ///< argv[0] an absolute path.
  std::string directory;
  std::vector<std::string> environment;  ///< All of it, NAME=value.
  std::size_t longest = std::size_t{64} << 20U;
};

/// What it wrote, where it ended with 0 and wrote no more than `longest`. It runs in a session of
/// its own with nothing to read, none of our descriptors and all signals as by default, is killed
/// and waited for when the patience is over, and dies with us. Throws SystemError when nothing
/// can be started.
[[nodiscard]] std::optional<std::string> ask(const Query& query, Patience& patience);

}  // namespace onelane::multicall::coalesce
