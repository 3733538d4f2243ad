#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/queue/queue.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::queue {

/// The queue of the calling user in a state directory: `queue-UID.json`, and next to it
/// `queue-UID.lock`, which is never removed.
///
/// Both have mode 0600 whatever the directory allows, and are refused if they belong to another
/// user: an entry holds an environment, which may contain secrets, and runs as the user who starts
/// it. The file is replaced as a whole (written aside, fsync(2), rename(2)), so a reader needs no
/// lock and a crash leaves the queue as it was before or after a change. Changes are made one after
/// another, under a byte lock of the second file: any number of processes may add at once.
///
/// Every member throws SystemError; EBADMSG when the file is damaged, in which case only discard()
/// changes it.
class Store {
 public:
  /// `directory` need not exist as long as the queue is only read.
  explicit Store(std::string directory);

  /// The current queue; empty when there is no file. Never blocks.
  [[nodiscard]] Queue read() const;

  /// Reads the queue, lets `act` change it and writes it, under the lock. Blocks while another
  /// process does the same. If `act` throws, the queue stays as it was. Throws EFBIG when it has
  /// become too long.
  void change(const std::function<void(Queue&)>& act);

  /// Puts an empty queue in place of a damaged one.
  void discard();

  /// True while a process that has become the starter lives, in whatever container.
  [[nodiscard]] bool is_started() const;

  /// Makes this process the starter, until the Store or the process ends; false when there is one
  /// already. Not inherited over execve(2).
  [[nodiscard]] bool become_starter();

  /// A descriptor that becomes readable when the file was replaced: drain it, then read(). Empty
  /// when inotify(7) has no instance left.
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
/// never started, interrupted, or running while a start lives (`state` says which). For callers
/// that must not take "queued" for "passed". Throws like Store::read.
[[nodiscard]] std::vector<Entry> unfinished(const std::string& directory);

}  // namespace onelane::queue
