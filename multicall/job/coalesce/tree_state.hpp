#pragma once

#include <cstdint>
#include <string>

#include "multicall/job/coalesce/query.hpp"

namespace onelane::multicall::coalesce {

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
