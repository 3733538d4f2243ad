#include "core/sys/file_descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/sys/error.hpp"

namespace onelane::sys {
namespace {

bool has_few = false;

}  // namespace

int first_own_descriptor() noexcept {
  return has_few ? kFirstOwnDescriptorOfFew : kFirstOwnDescriptor;
}

void FileDescriptor::reset(int fd) noexcept {
  if (fd_ >= 0) {
    const int saved = errno;
    ::close(fd_);
    errno = saved;
  }
  fd_ = fd;
}

FileDescriptor lift(int fd) noexcept {
  if (fd < 0 || fd >= first_own_descriptor()) {
    return FileDescriptor{fd};
  }
  int lifted = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwnDescriptor);
  if (lifted < 0 && errno == EINVAL) {
    has_few = true;
    lifted = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwnDescriptorOfFew);
  }
  const int saved = errno;
  ::close(fd);
  errno = saved;
  return FileDescriptor{lifted};
}

FileDescriptor try_open_file(const char* path, int flags, unsigned mode) noexcept {
  for (;;) {
    const int fd = ::open(path, flags | O_CLOEXEC, mode);
    if (fd >= 0 || errno != EINTR) {
      return lift(fd);
    }
  }
}

FileDescriptor open_file(const std::string& path, int flags, unsigned mode) {
  FileDescriptor fd = try_open_file(path.c_str(), flags, mode);
  if (!fd.is_open()) {
    throw_errno("open", path);
  }
  return fd;
}

std::optional<std::string> read_small_file(const char* path, std::size_t limit) {
  // O_NONBLOCK: opening a planted FIFO must not hang us.
  const FileDescriptor fd = try_open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (!fd.is_open()) {
    return std::nullopt;
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) {
    return std::nullopt;
  }
  if (!S_ISREG(info.st_mode)) {
    errno = EINVAL;
    return std::nullopt;
  }
  // The size is a hint (files of /proc say 0): read on until the end or past the limit.
  std::string text;
  std::size_t chunk =
      std::min(limit, std::max<std::size_t>(static_cast<std::size_t>(info.st_size), 4095)) + 1;
  for (std::size_t done = 0;;) {
    text.resize(done + chunk);
    const long got = read_up_to(fd.get(), text.data() + done, chunk);
    if (got < 0) {
      return std::nullopt;
    }
    done += static_cast<std::size_t>(got);
    if (done > limit) {
      errno = EFBIG;
      return std::nullopt;
    }
    if (static_cast<std::size_t>(got) < chunk) {
      text.resize(done);
      return text;
    }
    chunk = std::min(limit + 1 - done, std::size_t{65536});
  }
}

long read_up_to(int fd, char* buffer, std::size_t size) noexcept {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd, buffer + done, size - done);
    if (got == 0) {
      break;
    }
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return -1;
    }
    done += static_cast<std::size_t>(got);
  }
  return static_cast<long>(done);
}

bool write_all(int fd, std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) {
        continue;
      }
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace onelane::sys
