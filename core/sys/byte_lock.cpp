#include "core/sys/byte_lock.hpp"

#include <fcntl.h>

#include <cerrno>

#include "core/sys/error.hpp"

namespace onelane::sys {
namespace {

struct flock request(short type, off_t first, off_t last) noexcept {
  struct flock lock {};  // l_pid must be 0 for OFD commands
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = last - first + 1;
  return lock;
}

bool try_lock(int fd, struct flock lock) {
  while (::fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    if (errno == EAGAIN || errno == EACCES) {
      return false;
    }
    if (errno != EINTR) {
      throw_errno("lock", "a byte of the lane file");
    }
  }
  return true;
}

short type_of(LockKind kind) noexcept {
  return kind == LockKind::Read ? F_RDLCK : F_WRLCK;
}

}  // namespace

bool try_lock_byte(int fd, off_t byte, LockKind kind) {
  return try_lock(fd, request(type_of(kind), byte, byte));
}

bool try_lock_bytes(int fd, off_t first, off_t last) {
  return try_lock(fd, request(F_WRLCK, first, last));
}

bool lock_byte(int fd, off_t byte, LockKind kind) {
  struct flock lock = request(type_of(kind), byte, byte);
  if (::fcntl(fd, F_OFD_SETLKW, &lock) == 0) {
    return true;
  }
  if (errno == EINTR) {
    return false;
  }
  throw_errno("lock", "a byte of the lane file");
}

void unlock_byte(int fd, off_t byte) noexcept {
  unlock_bytes(fd, byte, byte);
}

void unlock_bytes(int fd, off_t first, off_t last) noexcept {
  struct flock lock = request(F_UNLCK, first, last);
  (void)::fcntl(fd, F_OFD_SETLK, &lock);
}

bool is_byte_locked(int fd, off_t byte) {
  struct flock lock = request(F_RDLCK, byte, byte);
  if (::fcntl(fd, F_OFD_GETLK, &lock) != 0) {
    throw_errno("ask for the lock of", "a byte of the lane file");
  }
  return lock.l_type != F_UNLCK;
}

}  // namespace onelane::sys
