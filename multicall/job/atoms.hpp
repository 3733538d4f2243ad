#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "multicall/context/call.hpp"
#include "shims/atoms.hpp"

namespace onelane::multicall {

/// What `--atoms` and its options ask for.
struct AtomWish {
  shims::AtomConsent consent;
  std::size_t size = 0;  ///< Files in one command; 0: as many as suit the tool.
};

/// One command as a sequence of commands, or why not.
struct AtomPlan {
  const shims::AtomTool* tool = nullptr;  ///< nullptr: not in the table.
  std::string refusal;                    ///< Empty when `commands` may be run.
  bool force_helps = false;               ///< `--force` would lift the refusal.
  std::string listed_by;                  ///< Who said which files there are; empty: the caller.
  std::size_t files = 0;
  std::size_t size = 0;   ///< Files in one command at most.
  bool is_whole = false;  ///< No file was found, so the only command is the caller's own.
  std::vector<std::vector<std::string>> commands;  ///< Each with argv[0].
};

/// What the words of `call` alone say, which is final: `refusal` with its `force_helps`, and
/// `tool`.
[[nodiscard]] AtomPlan read_atoms(const Call& call, const AtomWish& wish);

/// Splits `call`, whose program is at `executable`. Reads directories and settings files, and may
/// ask git or the tool for a list of files, for which it blocks up to two minutes each; the
/// command itself is not run. Throws SystemError when nothing can be asked.
[[nodiscard]] AtomPlan plan_atoms(const Call& call, const std::string& executable,
                                  const AtomWish& wish);

}  // namespace onelane::multicall
