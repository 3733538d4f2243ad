#include "core/queue/store.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "core/queue/text.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/error.hpp"

namespace onelane::queue {
namespace {

constexpr off_t kChangeByte = 0;
constexpr off_t kStarterByte = 1;
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

std::string content_of(int fd, const std::string& path) {
  struct stat info {};
  std::string text;
  if (::fstat(fd, &info) == 0 && static_cast<std::size_t>(info.st_size) <= kLongestText) {
    text.resize(static_cast<std::size_t>(info.st_size));
  } else {
    throw sys::SystemError{EFBIG, "read", path};
  }
  const long got = sys::read_up_to(fd, text.data(), text.size());
  if (got < 0) {
    sys::throw_errno("read", path);
  }
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace

Store::Store(std::string directory)
    : directory_{std::move(directory)}, path_{stem_of(directory_) + ".json"} {}

Queue Store::read() const {
  const auto fd = sys::try_open_file(path_.c_str(), O_RDONLY | kSafely);
  if (!fd.is_open()) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return {};
    }
    sys::throw_errno("open", path_);
  }
  check(fd.get(), path_);
  auto queue = parse(content_of(fd.get(), path_));
  if (!queue) {
    throw sys::SystemError{EBADMSG, "read", path_ + " (damaged: `onelane queue clear`)"};
  }
  return *std::move(queue);
}

void Store::lock() {
  if (!lock_.is_open()) {
    lock_ = open_lock(stem_of(directory_) + ".lock");
  }
  while (!sys::lock_byte(lock_.get(), kChangeByte, sys::LockKind::Write)) {
  }
}

void Store::change(const std::function<void(Queue&)>& act) {
  lock();
  try {
    Queue queue = read();
    act(queue);
    write(queue);
  } catch (...) {
    sys::unlock_byte(lock_.get(), kChangeByte);
    throw;
  }
  sys::unlock_byte(lock_.get(), kChangeByte);
}

void Store::discard() {
  lock();
  try {
    write({});
  } catch (...) {
    sys::unlock_byte(lock_.get(), kChangeByte);
    throw;
  }
  sys::unlock_byte(lock_.get(), kChangeByte);
}

void Store::write(const Queue& queue) {
  const std::string text = to_text(queue);
  if (text.size() > kLongestText) {
    throw sys::SystemError{EFBIG, "write", path_};
  }
  const std::string aside = path_ + ".tmp";
  (void)::unlink(aside.c_str());  // left by a process that died: we hold the lock
  const auto fd = sys::open_file(aside, O_WRONLY | O_CREAT | O_EXCL | kSafely, kMode);
  if (!sys::write_all(fd.get(), text) || ::fsync(fd.get()) != 0 ||
      std::rename(aside.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    (void)::unlink(aside.c_str());
    throw sys::SystemError{error, "write", path_};
  }
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
  if (fd.is_open() && ::inotify_add_watch(fd.get(), directory_.c_str(), IN_MOVED_TO) < 0) {
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
