#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "multicall/cli/options.hpp"
#include "multicall/context/call.hpp"
#include "multicall/job/retry.hpp"

namespace onelane::multicall {

/// The options about atoms, of `onelane run` and of an entry of the queue.
struct AtomOptions {
  std::string which;  ///< "tools" or "pytest-file"; empty: no atoms.
  std::size_t size = 0;
  bool force = false;
  bool explain = false;

  [[nodiscard]] bool are_wanted() const { return !which.empty(); }
};

/// Adds `--atoms` and the options that go with it.
void add_atoms(Options& app, AtomOptions& options);
/// Adds `--explain`, for a verb that has `--atoms`.
void add_atoms_explain(Options& app, AtomOptions& options);

/// An exit code, after one line with the reason, if the words of the command rule out a split for
/// good. Does not look at its files or at settings.
[[nodiscard]] std::optional<int> refuse_atoms(const AtomOptions& options, const Call& call);

/// Prints how the command would be split now, or why not; returns the exit code.
[[nodiscard]] int explain_atoms(const AtomOptions& options, bool as_json, const Call& call);

/// Prints a line if files or settings prevent a split now; they may change.
void say_atoms_doubt(const AtomOptions& options, const Call& call);

/// Fills `parts` if atoms are wanted; `tool` is what the command runs. Returns an exit code if the
/// verb ends here: the command is refused, or only explained.
[[nodiscard]] std::optional<int> split_into_atoms(const AtomOptions& options, bool as_json,
                                                  const Call& call, const tool::Found& tool,
                                                  RetryOptions& parts);

}  // namespace onelane::multicall
