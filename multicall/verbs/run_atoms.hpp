#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "multicall/cli/options.hpp"
#include "multicall/context/call.hpp"
#include "multicall/job/retry.hpp"

namespace onelane::multicall {

/// The options of `onelane run` and of an entry of the queue about atoms.
struct AtomOptions {
  std::string which;  ///< "tools" or "pytest-file"; empty: no atoms.
  std::size_t size = 0;
  bool force = false;
  bool explain = false;

  [[nodiscard]] bool are_wanted() const { return !which.empty(); }
};

/// `--atoms` and what belongs to it.
void add_atoms(Options& app, AtomOptions& options);
/// `--explain`, for a verb that has `--atoms`.
void add_atoms_explain(Options& app, AtomOptions& options);

/// The exit code, having said why, where the words of the command forbid the split for good:
/// neither its files nor settings are looked at.
[[nodiscard]] std::optional<int> refuse_atoms(const AtomOptions& options, const Call& call);

/// Prints how the command would be split now, or says why not; gives the exit code.
[[nodiscard]] int explain_atoms(const AtomOptions& options, bool as_json, const Call& call);

/// Says so where files or settings are in the way of a split now; they may change.
void say_atoms_doubt(const AtomOptions& options, const Call& call);

/// Fills `parts` where atoms are wanted; `tool` is what the command runs. An exit code where the
/// verb is over: the command is refused, or explained.
[[nodiscard]] std::optional<int> split_into_atoms(const AtomOptions& options, bool as_json,
                                                  const Call& call, const tool::Found& tool,
                                                  RetryOptions& parts);

}  // namespace onelane::multicall
