#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// How the record of a batch begins: who started it, where, when; its end is the caller's.
[[nodiscard]] journal::Record batch_record(const LanesHere& lanes, const std::string& id);

/// Appends it to the project's journal; what cannot be written is lost.
void append_batch(const LanesHere& lanes, const journal::Record& record);

/// Run ids of the batch's newest runs that are not in `known`, oldest first: what its last entry
/// has become. Reads the end of the journal.
[[nodiscard]] std::vector<std::string> new_jobs_of(const LanesHere& lanes, const std::string& batch,
                                                   const std::vector<std::string>& known);

/// The runs of a batch, oldest first, as far as the journal has them. Reads all of it.
[[nodiscard]] std::vector<RunView> jobs_of(const LanesHere& lanes, const std::string& batch);

}  // namespace onelane::multicall
