#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/queue/commit.hpp"
#include "core/queue/queue.hpp"
#include "core/queue/text.hpp"

namespace onelane::queue {

/// The log of a queue: a file that begins with a change that holds the whole queue (a checkpoint),
/// followed by changes of few records each: an entry was added, has begun, has ended. A change is
/// its records and a commit line. Nothing here does I/O.

/// How a text of changes ends.
enum class LogEnd {
  Whole,    ///< With a change.
  Torn,     ///< With what is not a whole change, and nothing that was promised.
  Damaged,  ///< A byte of what was written is another now, or it is no log.
};

/// Reads changes, and how far they have been read.
struct LogReader {
  std::uint64_t end = 0;  ///< Where the last whole change ends in the file.
  Commit last;            ///< Its commit.

  /// Takes one record of a whole change: its text, with `\n`, begins at `at` in the file. False if
  /// it cannot follow those before it.
  using Take = std::function<bool(Record&& record, std::uint64_t at, std::size_t size)>;
  /// Reads what the file holds from `end` on. `boot` is sys::boot_id().
  [[nodiscard]] LogEnd read(std::string_view text, std::uint64_t boot, const Take& take);
};

/// The queue that a log makes.
class Log {
 public:
  /// Reads what the file holds behind end().
  [[nodiscard]] LogEnd read(std::string_view text, std::uint64_t boot);

  [[nodiscard]] Queue& queue() noexcept { return queue_; }
  [[nodiscard]] const std::string& imported() const noexcept { return imported_; }
  [[nodiscard]] std::uint64_t end() const noexcept { return reader_.end; }
  [[nodiscard]] const Commit& last() const noexcept { return reader_.last; }

 private:
  [[nodiscard]] bool take(HeadRecord&& head);
  [[nodiscard]] bool take(EnvironmentRecord&& record);
  [[nodiscard]] bool take(EntryRecord&& record);
  [[nodiscard]] bool take(BeginRecord&& begin);
  [[nodiscard]] bool take(EndRecord&& end);
  [[nodiscard]] Entry* find_near(std::uint64_t id);

  LogReader reader_;
  Queue queue_;
  std::string imported_;
  std::vector<std::shared_ptr<Environment>> environments_;
  std::unordered_set<std::uint64_t> ids_;
  std::size_t near_ = 0;  ///< Index of the entry that was found last.
};

/// The text of a file that holds `queue` as a checkpoint. Identical environments are written once.
[[nodiscard]] std::string checkpoint(const Queue& queue, const std::string& imported,
                                     std::uint64_t boot);

/// Completes `records` to a change; `commit` has where it begins and the sums of the queue after
/// it.
[[nodiscard]] std::string change_text(std::string records, Commit commit);

}  // namespace onelane::queue
