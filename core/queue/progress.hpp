#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/queue/log.hpp"
#include "core/queue/store.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::queue {

/// The queue as its starter follows it: takes the next entry, again and again, and marks what has
/// begun and what has ended.
///
/// A step costs the same whatever the queue holds. The queued entries are known by their places in
/// the file only, so that this process stays small: a fork copies the page tables of all it has.
///
/// The marks are not waited for: the record of a run says as well that it was, and an entry that
/// takes a millisecond must not wait ten for the disk. After a crash of the machine, those since
/// the last sync() may be missing.
class Progress {
 public:
  /// How long an entry will take, if that is known.
  using Weigh = std::function<std::optional<std::chrono::milliseconds>(const Entry& entry)>;

  /// What there is to do.
  struct Now {
    std::size_t queued = 0;
    bool is_closed = false;
    bool is_paused = false;
    bool is_stopping = false;
    std::chrono::milliseconds known{0};  ///< How long the queued entries will take,
    std::size_t unknown = 0;             ///< without so many of them.
  };
  /// What the starter does about it.
  enum class Step {
    Begin,  ///< The next entry; one must be queued.
    Wait,   ///< For a change.
    End,    ///< This process is no starter any more.
  };

  /// Borrows `store`, which has become the starter. Without `weigh` nothing is known.
  explicit Progress(Store& store, Weigh weigh = {}) : store_{store}, weigh_{std::move(weigh)} {}

  /// One step under the lock: writes down the result of `ended` (null for none), and does what
  /// `decide` wants. Returns the entry that has begun, as one of `queue_start`. Writes nothing if
  /// there is nothing to write. Throws as Store does.
  [[nodiscard]] std::optional<Entry> step(const Entry* ended, const std::string& queue_start,
                                          const std::function<Step(const Now&)>& decide);

  /// When the oldest mark that is not known to be on the disk was made (monotonic time).
  [[nodiscard]] std::optional<std::chrono::nanoseconds> unsynced_since() const noexcept {
    return unsynced_since_;
  }
  /// Waits until all marks are on the disk. Errors are ignored: the next change meets them.
  void sync() noexcept;

 private:
  /// A record in the file.
  struct Place {
    std::uint64_t at = 0;
    std::size_t size = 0;
  };
  /// A queued entry.
  struct Waiting {
    std::uint64_t id = 0;
    Place place;
    std::int64_t known_ms = -1;  ///< -1: unknown.
  };

  void follow();
  void forget();
  [[nodiscard]] bool take(Record&& record, Place place);
  [[nodiscard]] bool take_begun(std::uint64_t id);
  [[nodiscard]] Entry read_next();
  void mark(std::string records);
  void replace(const Entry* ended, bool is_end);

  Store& store_;
  Weigh weigh_;
  sys::FileDescriptor file_;
  LogReader reader_;
  std::uint64_t first_size_ = 0;  ///< Of the file when it was read anew.
  Now now_;
  std::vector<Waiting> waiting_;
  std::size_t next_ = 0;  ///< Index of the first that still waits.
  std::vector<Place> environments_;
  std::size_t newest_ = 0;  ///< Which environment read_next() has read last.
  std::shared_ptr<const Environment> environment_;
  bool has_marks_ = false;  ///< The file has marks of ours.
  std::optional<std::chrono::nanoseconds> unsynced_since_;
};

}  // namespace onelane::queue
