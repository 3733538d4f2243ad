#include "core/sys/byte_lock.hpp"

#include <fcntl.h>

#include <cerrno>

#include "core/sys/error.hpp"

namespace onelane::sys {
namespace {

struct flock request(short type, off_t byte) noexcept {
  struct flock lock {};  // l_pid must be 0 for OFD commands
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

short type_of(LockKind kind) noexcept {
  return kind == LockKind::Read ? F_RDLCK : F_WRLCK;
}

}  // namespace

bool try_lock_byte(int fd, off_t byte, LockKind kind) {
  struct flock lock = request(type_of(kind), byte);
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

bool lock_byte(int fd, off_t byte, LockKind kind) {
  struct flock lock = request(type_of(kind), byte);
  if (::fcntl(fd, F_OFD_SETLKW, &lock) == 0) {
    return true;
  }
  if (errno == EINTR) {
    return false;
  }
  throw_errno("lock", "a byte of the lane file");
}

void unlock_byte(int fd, off_t byte) noexcept {
  struct flock lock = request(F_UNLCK, byte);
  (void)::fcntl(fd, F_OFD_SETLK, &lock);
}

bool is_byte_locked(int fd, off_t byte) {
  struct flock lock = request(F_RDLCK, byte);
  if (::fcntl(fd, F_OFD_GETLK, &lock) != 0) {
    throw_errno("ask for the lock of", "a byte of the lane file");
  }
  return lock.l_type != F_UNLCK;
}

}  // namespace onelane::sys
