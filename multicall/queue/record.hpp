#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/journal/record.hpp"
#include "core/queue/queue.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// The beginning of a queue start's record: who started it, where and when. The caller adds the
/// end.
[[nodiscard]] journal::Record queue_start_record(const LanesHere& lanes, const std::string& id);

/// Appends the record to the project's journal; errors are ignored.
void append_queue_start(const LanesHere& lanes, const journal::Record& record);

/// Finds the runs of a queue start's entries in the journal, each when it has ended.
class JobFinder {
 public:
  /// Looks at what is recorded from now on. Borrows `lanes`.
  JobFinder(const LanesHere& lanes, std::string queue_start);

  /// Ids of the runs recorded since the last call, oldest first: the runs of the last entry. Reads
  /// what the journal has grown by; if that has none, the newest records.
  [[nodiscard]] std::vector<std::string> next();

 private:
  [[nodiscard]] std::string added();
  void add(const journal::Record& record, std::vector<std::string>& out) const;

  const LanesHere& lanes_;
  std::string queue_start_;
  sys::FileDescriptor file_;
  off_t end_ = 0;                   ///< How far the file was read.
  std::vector<std::string> known_;  ///< The newest jobs.
};

/// The runs of a queue start, oldest first, as far as the journal has them. Reads the whole
/// journal.
[[nodiscard]] std::vector<RunView> jobs_of(const LanesHere& lanes, const std::string& queue_start);

/// "me (pid 12, for 3m12s)".
[[nodiscard]] std::string starter_words(const queue::Starter& starter);

/// " (usually 5m00s; about 12m00s to go)": for a command that begins, and together with all that is
/// queued behind it. Leaves out what is not known.
[[nodiscard]] std::string forecast_words(std::optional<std::chrono::milliseconds> own,
                                         std::optional<std::chrono::milliseconds> all);

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
