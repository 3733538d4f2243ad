#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/queue/log.hpp"
#include "core/queue/queue.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::queue {

/// The queue of the calling user in a state directory: `queue-UID.log`, and next to it
/// `queue-UID.lock`, which is never removed.
///
/// Both have mode 0600 whatever the directory allows, and are refused if they belong to another
/// user: an entry holds an environment, which may contain secrets, and runs as the user who starts
/// it. What happens often is appended, and costs the same whatever the queue holds: add(), and the
/// marks of Progress. What happens rarely replaces the file as a whole (written aside, fsync(2),
/// rename(2)): change(). A reader needs no lock. A crash leaves the queue as it was before or after
/// a change: a change without its end is ignored by readers and cut off by the next writer.
///
/// Changes are made one after another, under a byte lock of the second file: any number of
/// processes may add at once. add() and change() return when the change is on the disk, and leave
/// the queue as it was if it cannot get there.
///
/// A `queue-UID.json` of an earlier version is taken over by the first change and removed; entries
/// that an earlier version adds later are taken over as well.
///
/// Every member throws SystemError; EBADMSG when a file is damaged, in which case only discard()
/// changes it.
class Store {
 public:
  /// `directory` need not exist as long as the queue is only read. `on_cut` is called when the end
  /// of the file was not a whole change and is cut off: nothing that was confirmed is lost.
  explicit Store(std::string directory, std::function<void()> on_cut = {});

  /// The current queue; empty when there is no file. Never blocks.
  [[nodiscard]] Queue read() const;

  /// Appends `entry`, which gets its id, unless `may_add` says no. Returns the sums of the queue
  /// after that; only the flags, numbers and next_id of a Commit are of interest here.
  Commit add(Entry& entry, const std::function<bool(const Commit&)>& may_add);

  /// Reads the queue, lets `act` change it and writes it. If `act` throws, the queue stays as it
  /// was. Throws EFBIG when it has become too long.
  void change(const std::function<void(Queue&)>& act);

  /// Puts an empty queue in place of a damaged one.
  void discard();

  /// True while a process that has become the starter lives, in whatever container.
  [[nodiscard]] bool is_started() const;

  /// Makes this process the starter, until the Store or the process ends; false when there is one
  /// already. Not inherited over execve(2); a forked child must close its descriptors.
  [[nodiscard]] bool become_starter();

  /// A descriptor that becomes readable when the queue has changed, and sometimes when it has not:
  /// drain it, then look. Empty when inotify(7) has no instance left.
  [[nodiscard]] sys::FileDescriptor watch() const;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  friend class Progress;
  class Guard;
  /// What the files hold.
  struct Content {
    Log log;
    bool is_torn = false;
    std::string old;  ///< Checksum of a queue-UID.json that is in the queue of `log` but not in its
                      ///< file; empty for none.
  };

  void lock();
  [[nodiscard]] sys::FileDescriptor open_log(int flags) const;
  [[nodiscard]] Content load() const;
  void merge_old(Content& content, bool has_log) const;
  [[nodiscard]] bool has_old() const;
  void note_cut() const;
  void cut(int fd, std::uint64_t size) const;
  [[nodiscard]] Commit tail_of(int fd, std::uint64_t& size) const;
  [[nodiscard]] std::size_t number_environment(int fd, const Entry& entry, std::string& records,
                                               Commit& commit) const;
  void append(int fd, std::uint64_t at, std::string_view text, bool is_promise) const;
  void replace(Content& content) const;

  std::string directory_;
  std::string path_;
  std::string old_path_;
  std::uint64_t boot_;
  std::function<void()> on_cut_;
  sys::FileDescriptor lock_;
};

/// The caller's entries in that state directory that have no result, in their order: queued and
/// never started, interrupted, or running while a start lives (`state` says which). For callers
/// that must not take "queued" for "passed". Throws like Store::read.
[[nodiscard]] std::vector<Entry> unfinished(const std::string& directory);

}  // namespace onelane::queue
