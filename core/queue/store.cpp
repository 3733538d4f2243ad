#include "core/queue/store.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/queue/store_parts.hpp"
#include "core/queue/text.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/hash.hpp"
#include "core/sys/hex.hpp"
#include "core/sys/process.hpp"

namespace onelane::queue {
namespace {

constexpr unsigned kMode = 0600;
constexpr int kSafely = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;  // no link, no FIFO that would hang us

std::string stem_of(const std::string& directory) {
  return directory + "/queue-" + std::to_string(::geteuid());
}

/// Refuses a file of another user, and anything that is not a file.
void check(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    sys::throw_errno("stat", path);
  }
  if (!S_ISREG(info.st_mode)) {
    throw sys::SystemError{EINVAL, "use", path + " (not a regular file)"};
  }
  if (info.st_uid != ::geteuid()) {
    throw sys::SystemError{EPERM, "use",
                           path + " (owned by uid " + std::to_string(info.st_uid) + ")"};
  }
  if ((info.st_mode & 0077U) != 0) {
    throw sys::SystemError{EPERM, "use", path + " (not for its owner alone: chmod 600 it)"};
  }
}

sys::FileDescriptor open_lock(const std::string& path) {
  sys::FileDescriptor fd = sys::open_file(path, O_RDWR | O_CREAT | kSafely, kMode);
  check(fd.get(), path);
  return fd;
}

std::uint64_t size_of(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    sys::throw_errno("stat", path);
  }
  if (static_cast<std::size_t>(info.st_size) > kLongestText) {
    throw sys::SystemError{EFBIG, "read", path};
  }
  return static_cast<std::uint64_t>(info.st_size);
}

/// Writes all of `text` at the file's end, where O_APPEND puts it. A file that would become longer
/// than RLIMIT_FSIZE is an error like a full disk: the signal (setrlimit(2)) is swallowed.
bool write_quietly(int fd, std::string_view text) noexcept {
  sigset_t noisy;
  sigset_t before;
  ::sigemptyset(&noisy);
  ::sigaddset(&noisy, SIGXFSZ);
  ::sigprocmask(SIG_BLOCK, &noisy, &before);
  const bool is_whole = sys::write_all(fd, text);
  const int error = errno;
  if (!is_whole) {
    const struct timespec none {};
    while (::sigtimedwait(&noisy, nullptr, &none) > 0) {
    }
  }
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return is_whole;
}

std::string checksum(std::string_view text) {
  const std::uint64_t hash = sys::fnv1a(text);
  return sys::to_hex(sys::bytes_of(hash));
}

/// Puts `entries` without a result behind those of `queue`, with ids of their own.
void append_unfinished(Queue& queue, std::vector<Entry> entries) {
  for (Entry& entry : entries) {
    if (is_unfinished(entry)) {
      entry.id = queue.next_id++;
      queue.entries.push_back(std::move(entry));
    }
  }
}

}  // namespace

std::string read_at(int fd, const std::string& path, std::uint64_t at, std::size_t size) {
  std::string text(size, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got =
        ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(at + done));
    if (got < 0 && errno != EINTR) {
      sys::throw_errno("read", path);
    }
    if (got == 0) {
      break;
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  text.resize(done);
  return text;
}

std::string content_of(int fd, const std::string& path, std::uint64_t from) {
  const std::uint64_t size = size_of(fd, path);
  return read_at(fd, path, from, size > from ? size - from : 0);
}

void throw_damaged(const std::string& path) {
  throw sys::SystemError{EBADMSG, "read", path + " (damaged: `onelane queue clear`)"};
}

Store::Store(std::string directory, std::function<void()> on_cut)
    : directory_{std::move(directory)},
      path_{stem_of(directory_) + ".log"},
      old_path_{stem_of(directory_) + ".json"},
      boot_{sys::boot_id()},
      on_cut_{std::move(on_cut)} {}

sys::FileDescriptor Store::open_log(int flags) const {
  auto fd = sys::try_open_file(path_.c_str(), flags | kSafely);
  if (fd.is_open()) {
    check(fd.get(), path_);
  } else if (errno != ENOENT && errno != ENOTDIR) {
    sys::throw_errno("open", path_);
  }
  return fd;
}

bool Store::has_old() const {
  return ::access(old_path_.c_str(), F_OK) == 0;
}

Store::Content Store::load() const {
  constexpr int kLooks = 3;  // without the lock, a file may be cut or replaced under our eyes
  for (int look = 1;; ++look) {
    Content content;
    const auto fd = open_log(O_RDONLY);
    if (fd.is_open()) {
      const auto outcome = content.log.read(content_of(fd.get(), path_), boot_);
      if (outcome == LogEnd::Damaged) {
        if (look < kLooks) {
          continue;
        }
        throw_damaged(path_);
      }
      content.is_torn = outcome == LogEnd::Torn;
    }
    merge_old(content, fd.is_open());
    if (fd.is_open() || !content.old.empty() || look == kLooks) {
      return content;
    }
  }
}

void Store::merge_old(Content& content, bool has_log) const {
  const auto fd = sys::try_open_file(old_path_.c_str(), O_RDONLY | kSafely);
  if (!fd.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return;
    }
    sys::throw_errno("open", old_path_);
  }
  check(fd.get(), old_path_);
  const std::string text = content_of(fd.get(), old_path_);
  content.old = checksum(text);
  if (content.old == content.log.imported()) {
    return;  // is in the queue, but a crash came before it was removed
  }
  auto old = parse_old(text);
  if (!old) {
    throw_damaged(old_path_);
  }
  if (has_log) {
    append_unfinished(content.log.queue(), std::move(old->entries));
  } else {
    content.log.queue() = *std::move(old);
  }
}

Queue Store::read() const {
  return std::move(load().log.queue());
}

void Store::lock() {
  if (!lock_.is_open()) {
    lock_ = open_lock(stem_of(directory_) + ".lock");
  }
  while (!sys::lock_byte(lock_.get(), kChangeByte, sys::LockKind::Write)) {
  }
}

void Store::note_cut() const {
  if (on_cut_) {
    on_cut_();
  }
}

/// Cuts off what is behind the last whole change. Call it under the lock.
void Store::cut(int fd, std::uint64_t size) const {
  if (::ftruncate(fd, static_cast<off_t>(size)) != 0) {
    sys::throw_errno("cut", path_);
  }
  note_cut();
}

/// The last commit, after which the file ends; cuts off what is behind it. Call it under the lock.
Commit Store::tail_of(int fd, std::uint64_t& size) const {
  size = size_of(fd, path_);
  const std::size_t tail = std::min<std::uint64_t>(commit_size(), size);
  const auto commit = parse_commit(read_at(fd, path_, size - tail, tail));
  if (commit && commit->boot == boot_) {
    return *commit;
  }
  Log log;
  const auto outcome = log.read(content_of(fd, path_), boot_);
  if (outcome == LogEnd::Damaged) {
    throw_damaged(path_);
  }
  if (outcome == LogEnd::Torn) {
    cut(fd, log.end());
  }
  size = log.end();
  return log.last();
}

/// The number of the entry's environment in the file; adds it to `records` if it is not the newest.
std::size_t Store::number_environment(int fd, const Entry& entry, std::string& records,
                                      Commit& commit) const {
  std::string line = to_line(*entry.environment);
  if (commit.environments > 0 && commit.environment_size == line.size() &&
      read_at(fd, path_, commit.environment_at, line.size()) == line) {
    return commit.environments - 1;
  }
  commit.environment_at = commit.at;
  commit.environment_size = line.size();
  records = std::move(line);
  return commit.environments++;
}

Commit Store::add(Entry& entry, const std::function<bool(const Commit&)>& may_add) {
  const Guard guard{*this};
  sys::FileDescriptor fd = open_log(O_RDWR | O_APPEND);
  if (!fd.is_open() || has_old()) {
    Content content = load();
    replace(content);
    fd = open_log(O_RDWR | O_APPEND);
  }
  std::uint64_t size = 0;
  Commit commit = tail_of(fd.get(), size);
  if (!may_add(commit)) {
    return commit;
  }
  entry.id = commit.next_id++;
  ++commit.entries;
  commit.queued += entry.state == State::Queued ? 1U : 0U;
  commit.is_promise = true;
  commit.at = size;
  commit.boot = boot_;
  std::string records;
  std::optional<std::size_t> environment;
  if (entry.environment) {
    environment = number_environment(fd.get(), entry, records, commit);
  }
  records += to_line(entry, environment);
  append(fd.get(), size, change_text(std::move(records), commit), true);
  return commit;
}

void Store::append(int fd, std::uint64_t at, std::string_view text, bool is_promise) const {
  const bool fits = at + text.size() <= (is_promise ? kLongestKept : kLongestText);
  if (fits && write_quietly(fd, text) && (!is_promise || ::fdatasync(fd) == 0)) {
    return;
  }
  const int error = fits ? errno : EFBIG;
  // What could not be confirmed must not be run. If this fails, the next writer cuts it off, unless
  // only the disk has failed: then it stays.
  (void)!::ftruncate(fd, static_cast<off_t>(at));
  throw sys::SystemError{error, "write", path_};
}

void Store::change(const std::function<void(Queue&)>& act) {
  const Guard guard{*this};
  Content content = load();
  act(content.log.queue());
  replace(content);
}

void Store::discard() {
  const Guard guard{*this};
  Content nothing;
  replace(nothing);
}

void Store::replace(Content& content) const {
  if (content.is_torn) {
    note_cut();
  }
  const std::string& imported = content.old.empty() ? content.log.imported() : content.old;
  const std::string text = checkpoint(content.log.queue(), imported, boot_);
  if (text.size() > kLongestKept) {
    throw sys::SystemError{EFBIG, "write", path_};
  }
  const std::string aside = path_ + ".tmp";
  (void)::unlink(aside.c_str());  // left by a process that died: we hold the lock
  const auto fd = sys::open_file(aside, O_WRONLY | O_CREAT | O_EXCL | kSafely, kMode);
  if (!write_quietly(fd.get(), text) || ::fsync(fd.get()) != 0 ||
      std::rename(aside.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    (void)::unlink(aside.c_str());
    throw sys::SystemError{error, "write", path_};
  }
  // The new name has to be on the disk too, before an earlier version's file goes or anyone is
  // told.
  const auto directory = sys::try_open_file(directory_.c_str(), O_RDONLY | O_DIRECTORY);
  if (directory.is_open()) {
    (void)::fsync(directory.get());
  }
  (void)::unlink(old_path_.c_str());
}

bool Store::is_started() const {
  const auto fd = sys::try_open_file((stem_of(directory_) + ".lock").c_str(), O_RDWR | kSafely);
  return fd.is_open() && sys::is_byte_locked(fd.get(), kStarterByte);
}

bool Store::become_starter() {
  if (!lock_.is_open()) {
    lock_ = open_lock(stem_of(directory_) + ".lock");
  }
  return sys::try_lock_byte(lock_.get(), kStarterByte, sys::LockKind::Write);
}

sys::FileDescriptor Store::watch() const {
  sys::FileDescriptor fd = sys::lift(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (fd.is_open() &&
      ::inotify_add_watch(fd.get(), directory_.c_str(), IN_MOVED_TO | IN_MODIFY) < 0) {
    fd.reset();
  }
  return fd;
}

std::vector<Entry> unfinished(const std::string& directory) {
  const Store store{directory};
  Queue queue = store.read();
  if (!store.is_started()) {
    forget_starter(queue, 0);
  }
  std::erase_if(queue.entries, [](const Entry& entry) { return !is_unfinished(entry); });
  return std::move(queue.entries);
}

}  // namespace onelane::queue
