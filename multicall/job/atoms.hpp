#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "multicall/context/call.hpp"
#include "shims/atoms.hpp"

namespace onelane::multicall {

/// The wishes of `--atoms` and its options.
struct AtomWish {
  shims::AtomConsent consent;
  std::size_t size = 0;  ///< Files per command; 0: as many as suit the tool.
};

/// One command split into a sequence of commands, or why it cannot be split.
struct AtomPlan {
  const shims::AtomTool* tool = nullptr;  ///< Null if it is not in the table.
  std::string refusal;                    ///< Empty if `commands` may be run.
  bool force_helps = false;               ///< `--force` would lift the refusal.
  std::string listed_by;                  ///< What listed the files; empty: the caller named them.
  std::size_t files = 0;
  std::size_t size = 0;   ///< Files per command, at most.
  bool is_whole = false;  ///< No file was found, so the only command is the caller's own.
  std::vector<std::vector<std::string>> commands;  ///< Each with argv[0].
};

/// What the arguments of `call` alone decide: `tool`, and `refusal` with `force_helps`. A refusal
/// is final; no directory needs to be read.
[[nodiscard]] AtomPlan read_atoms(const Call& call, const AtomWish& wish);

/// Splits `call`, whose program is at `executable`. Reads directories and settings files, and may
/// run git or the tool for a list of files; blocks up to two minutes for each. The command itself
/// is not run. Throws SystemError if git or the tool cannot be started.
[[nodiscard]] AtomPlan plan_atoms(const Call& call, const std::string& executable,
                                  const AtomWish& wish);

}  // namespace onelane::multicall
