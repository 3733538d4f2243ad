#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/queue/queue.hpp"
#include "multicall/cli/options.hpp"
#include "multicall/verbs/run_options.hpp"

namespace onelane::multicall {

/// The options that `onelane queue add` and `edit` take for an entry.
struct QueueEntryOptions {
  std::vector<std::string> run;  ///< Options of `onelane run`, name and value in turn.
  AtomOptions atoms;
  std::optional<std::string> label;
};

/// Adds the options that an entry hands over to `onelane run`, its atoms, and --label. A value that
/// `run` would refuse is bad usage now, not when the queue runs.
void add_entry_options(Options& app, QueueEntryOptions& options);

/// Applies the given options to `entry`; the others stay as they were.
void set_entry_options(queue::Entry& entry, const QueueEntryOptions& options);

/// Whether `entry` hands over the option of that name.
[[nodiscard]] bool has_option(const queue::Entry& entry, std::string_view name);

/// As refuse_atoms(), for the options of `entry`.
[[nodiscard]] std::optional<int> refuse_entry_atoms(const queue::Entry& entry);

}  // namespace onelane::multicall
