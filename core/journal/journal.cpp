#include "core/journal/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>

#include "core/journal/files.hpp"
#include "core/journal/quiet_write.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {
namespace {

constexpr off_t kRotateByte = off_t{1} << 40;  // far behind any end of the file
constexpr int kTries = 16;                     // each lost to a process that rotated or created

// Not lifted: closed again before anything else is opened or forked, and two calls cheaper.
// O_NONBLOCK: a planted FIFO must not hang us.
constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

int create(int directory_fd, unsigned mode) noexcept {
  const int fd = ::openat(directory_fd, kJournalName, kFlags | O_CREAT | O_EXCL, mode);
  if (fd >= 0) {
    struct stat owner {};
    (void)::fchmod(fd, mode);
    if (::geteuid() == 0 && ::fstat(directory_fd, &owner) == 0) {
      (void)!::fchown(fd, owner.st_uid, owner.st_gid);
    }
  }
  return fd;
}

sys::FileDescriptor open_journal(int directory_fd, unsigned mode) noexcept {
  for (int i = 0; i < kTries; ++i) {
    int fd = ::openat(directory_fd, kJournalName, kFlags);
    if (fd < 0 && errno == ENOENT) {
      fd = create(directory_fd, mode);
    }
    if (fd >= 0 || (errno != EEXIST && errno != EINTR)) {
      return sys::FileDescriptor{fd};
    }
  }
  return sys::FileDescriptor{};
}

bool is_named(int directory_fd, int fd) noexcept {
  struct stat ours {};
  struct stat named {};
  return ::fstat(fd, &ours) == 0 &&
         ::fstatat(directory_fd, kJournalName, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

bool is_free(int directory_fd, const FileName& name) noexcept {
  struct stat info {};
  return ::fstatat(directory_fd, name.data(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

bool lock(int fd) noexcept {
  try {
    return sys::try_lock_byte(fd, kRotateByte, sys::LockKind::Write);
  } catch (const std::exception&) {
    return false;  // without such locks there is no lane either
  }
}

}  // namespace

void rotate(int directory_fd, int fd, unsigned keep) noexcept {
  // The lock goes with the file: a process that holds it and finds the name still on it is alone,
  // and the name is taken off it last.
  if (!lock(fd)) {
    return;
  }
  if (is_named(directory_fd, fd)) {
    const unsigned last = std::clamp(keep, 1U, kMostRotated);
    unsigned gap = 1;
    while (gap < last && !is_free(directory_fd, file_name(gap))) {
      ++gap;
    }
    bool moved = true;
    for (unsigned i = gap; moved && i > 0; --i) {
      moved =
          ::renameat(directory_fd, file_name(i - 1).data(), directory_fd, file_name(i).data()) == 0;
    }
  }
  sys::unlock_byte(fd, kRotateByte);
}

bool append(int directory_fd, const Record& record, const Rotation& rotation) noexcept try {
  const std::string line = to_line(record);
  const sys::FileDescriptor file = open_journal(directory_fd, rotation.mode);
  if (!file.is_open() || !write_quietly(file.get(), line)) {
    return false;
  }
  // After a write with O_APPEND the offset is the end of the file (write(2)).
  if (::lseek(file.get(), 0, SEEK_CUR) > rotation.max_bytes) {
    rotate(directory_fd, file.get(), rotation.keep);
  }
  return true;
} catch (const std::exception&) {
  return false;  // out of memory
}

}  // namespace onelane::journal
