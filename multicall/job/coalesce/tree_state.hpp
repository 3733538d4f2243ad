#pragma once

#include <cstdint>
#include <string>

#include "multicall/job/coalesce/query.hpp"

namespace onelane::multicall::coalesce {

/// How much of it is looked at before there is no state.
struct Bounds {
  std::chrono::milliseconds time{5'000};
  std::uint64_t bytes = std::uint64_t{256} << 20U;  ///< Of all files that are read.
};

/// The files that git knows of, in one number: of every commit, index entry, changed file and
/// untracked file that is not ignored, in the work tree around a directory and in the
/// repositories below it.
struct TreeState {
  std::string digits;  ///< 32 hexadecimal digits; empty for none, then `why` says it.
  std::string why;
  int signal = 0;  ///< That ended the look.
};

/// Looks, with the git at the path `git`, which must be the real one. What git has stated as
/// unchanged is not read; all else is read as it lies there, whatever attributes and textconv say.
/// Of a file as young as the index git itself makes sure, through the clean filter that the user
/// has set for it, as `git status` does. Writes nothing, the index included. Blocks as long as
/// `bounds` say, or until an ending signal arrives.
[[nodiscard]] TreeState tree_state_of(const std::string& directory, const std::string& git,
                                      const process::Signals& signals, const Bounds& bounds = {});

}  // namespace onelane::multicall::coalesce
