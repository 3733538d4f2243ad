#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/queue/queue.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::queue {

/// The queue of the calling user in a state directory: `queue-UID.json`, and `queue-UID.lock`
/// beside it, which stays.
///
/// Both have mode 0600 whatever the directory allows, and belong to the user or are refused: an
/// entry holds an environment, which may hold secrets, and is run as whoever starts it. The file
/// is replaced as a whole (written aside, fsync(2), rename(2)), so a reader needs no lock and a
/// crash leaves the queue before or after a change. Changes are made one after the other, under
/// a byte lock of the second file: any number of processes may add at once.
///
/// Everything throws SystemError; EBADMSG when the file is damaged, which nothing but discard()
/// then touches.
class Store {
 public:
  /// `directory` need not exist as long as the queue is only read.
  explicit Store(std::string directory);

  /// The queue as it is; an empty one where there is no file. Never blocks.
  [[nodiscard]] Queue read() const;

  /// Reads the queue, lets `act` change it and writes it, alone. Blocks while somebody else does
  /// so. What `act` throws leaves the queue as it was. Throws EFBIG when it has become too long.
  void change(const std::function<void(Queue&)>& act);

  /// Puts an empty queue in place of a damaged one.
  void discard();

  /// True while somebody lives who has become the starter, in whatever container.
  [[nodiscard]] bool is_started() const;

  /// Makes this process the starter, until the Store is gone or the process is; false when there
  /// is one. Children do not inherit it over execve(2).
  [[nodiscard]] bool become_starter();

  /// A descriptor that is readable when the file was replaced: read it empty, then read().
  /// Empty where inotify(7) has no instance left.
  [[nodiscard]] sys::FileDescriptor watch() const;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  void lock();
  void write(const Queue& queue);

  std::string directory_;
  std::string path_;
  sys::FileDescriptor lock_;
};

/// The caller's entries in that state directory that have no result, in their order: queued and
/// never started, interrupted, or running while a start lives (`state` says which). For whoever
/// must not take "queued" for "passed". Throws as Store::read.
[[nodiscard]] std::vector<Entry> unfinished(const std::string& directory);

}  // namespace onelane::queue
