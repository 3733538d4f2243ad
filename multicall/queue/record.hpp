#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "core/journal/usual.hpp"
#include "core/queue/queue.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// The beginning of a queue start's record: who started it, where and when. The caller adds the
/// end.
[[nodiscard]] journal::Record queue_start_record(const LanesHere& lanes, const std::string& id);

/// Appends the record to the project's journal; errors are ignored.
void append_queue_start(const LanesHere& lanes, const journal::Record& record);

/// Ids of the newest runs of the queue start that are not in `known`, oldest first: the runs of its
/// last entry. Reads only the end of the journal.
[[nodiscard]] std::vector<std::string> new_jobs_of(const LanesHere& lanes,
                                                   const std::string& queue_start,
                                                   const std::vector<std::string>& known);

/// The runs of a queue start, oldest first, as far as the journal has them. Reads the whole
/// journal.
[[nodiscard]] std::vector<RunView> jobs_of(const LanesHere& lanes, const std::string& queue_start);

/// "me (pid 12, for 3m12s)".
[[nodiscard]] std::string starter_words(const queue::Starter& starter);

/// " (usually 5m00s; about 12m00s to go)": for a command that begins, and together with the
/// commands `later`. Leaves out what is not known.
[[nodiscard]] std::string forecast_words(journal::Usual& usual, const std::string& command,
                                         const std::vector<std::string>& later);

/// The result of a queue start.
struct QueueStartEnd {
  std::string id;
  std::size_t begun = 0;
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t left = 0;  ///< Never started.
};

/// "queue: 2 passed, 1 failed, 4 not started (queue start abc…)".
[[nodiscard]] std::string queue_start_end_words(const QueueStartEnd& end);

}  // namespace onelane::multicall
