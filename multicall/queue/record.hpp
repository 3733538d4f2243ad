#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// The beginning of a batch's record: who started it, where and when. The caller adds the end.
[[nodiscard]] journal::Record batch_record(const LanesHere& lanes, const std::string& id);

/// Appends the record to the project's journal; errors are ignored.
void append_batch(const LanesHere& lanes, const journal::Record& record);

/// Ids of the newest runs of the batch that are not in `known`, oldest first: the runs of its last
/// entry. Reads only the end of the journal.
[[nodiscard]] std::vector<std::string> new_jobs_of(const LanesHere& lanes, const std::string& batch,
                                                   const std::vector<std::string>& known);

/// The runs of a batch, oldest first, as far as the journal has them. Reads the whole journal.
[[nodiscard]] std::vector<RunView> jobs_of(const LanesHere& lanes, const std::string& batch);

}  // namespace onelane::multicall
