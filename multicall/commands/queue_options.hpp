#pragma once

#include <optional>
#include <string>
#include <vector>

#include "multicall/commands/options.hpp"

namespace onelane::multicall {

/// What `onelane queue add` and `edit` are told about an entry.
struct QueueEntryOptions {
  std::vector<std::string> run;  ///< Options of `onelane run`, name and value in turn.
  std::optional<std::string> label;
};

/// Adds the options that an entry hands over to `onelane run`, and --label. A value that `run`
/// would refuse is bad usage now, not when the queue is run.
void add_entry_options(Options& app, QueueEntryOptions& options);

/// `before` with the values of `changes`, which replace those of the same name.
[[nodiscard]] std::vector<std::string> merged_options(std::vector<std::string> before,
                                                      const std::vector<std::string>& changes);

}  // namespace onelane::multicall
