#include "core/sys/file_descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "core/sys/error.hpp"

namespace onelane::sys {
namespace {

/// Which numbers are ours, one bit each from kFirstOwnDescriptorOfFew on. Atomic, because the main
/// thread of a waiting ticket opens and closes files while its helper thread runs.
std::array<std::atomic<std::uint64_t>, 5> own{};
/// Number of our descriptors above those, when a caller has taken the numbers from 200 on.
std::atomic<int> own_above{0};
constexpr int kLastTracked = kFirstOwnDescriptorOfFew + 5 * 64 - 1;

/// Numbers from here on are not looked at: a limit of open files is rarely higher.
constexpr int kMostNumbers = 65'536;

void track(int fd, bool is_ours) noexcept {
  if (fd > kLastTracked) {
    own_above += is_ours ? 1 : -1;
    return;
  }
  if (fd < kFirstOwnDescriptorOfFew) {
    return;
  }
  const auto index = static_cast<unsigned>(fd - kFirstOwnDescriptorOfFew);
  const std::uint64_t bit = std::uint64_t{1} << index % 64;
  if (is_ours) {
    own[index / 64] |= bit;
  } else {
    own[index / 64] &= ~bit;
  }
}

bool is_tracked(int fd) noexcept {
  const auto index = static_cast<unsigned>(fd - kFirstOwnDescriptorOfFew);
  return (own[index / 64] >> index % 64 & 1U) != 0;
}

}  // namespace

void close_foreign_descriptors() noexcept {
  unsigned first = 3;
  for (int fd = kFirstOwnDescriptorOfFew; fd <= kLastTracked; ++fd) {
    if (own[static_cast<unsigned>(fd - kFirstOwnDescriptorOfFew) / 64] != 0 && is_tracked(fd)) {
      if (static_cast<unsigned>(fd) > first) {
        ::syscall(SYS_close_range, first, static_cast<unsigned>(fd) - 1, 0U);
      }
      first = static_cast<unsigned>(fd) + 1;
    }
  }
  // Above them ours cannot be told from the caller's: closing too few only keeps a pipe open.
  const unsigned last = own_above > 0 ? static_cast<unsigned>(kLastTracked) : ~0U;
  if (first <= last) {
    ::syscall(SYS_close_range, first, last, 0U);
  }
}

void close_own_descriptors() noexcept {
  for (int fd = kFirstOwnDescriptorOfFew; fd <= kLastTracked; ++fd) {
    if (is_tracked(fd)) {
      track(fd, false);
      ::close(fd);
    }
  }
  // Those above are not known by number, but no descriptor of the caller is close-on-exec.
  for (int fd = kLastTracked + 1; own_above > 0 && fd < kMostNumbers; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) != 0) {
      track(fd, false);
      ::close(fd);
    }
  }
}

int FileDescriptor::release() noexcept {
  track(fd_, false);
  return std::exchange(fd_, -1);
}

void FileDescriptor::reset(int fd) noexcept {
  if (fd_ >= 0) {
    const int saved = errno;
    track(fd_, false);
    ::close(fd_);
    errno = saved;
  }
  fd_ = fd;
  track(fd, true);
}

FileDescriptor::FileDescriptor(int fd) noexcept : fd_{fd} {
  track(fd, true);
}

FileDescriptor lift(int fd) noexcept {
  if (fd < 0 || fd >= kFirstOwnDescriptor) {
    return FileDescriptor{fd};
  }
  int lifted = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwnDescriptor);
  if (lifted < 0 && (errno == EINVAL || errno == EMFILE)) {
    // RLIMIT_NOFILE is below 200, or just above with all numbers taken: use lower numbers, still
    // clear of 3 to 9 (fcntl(2), F_DUPFD).
    lifted = ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwnDescriptorOfFew);
  }
  // EINVAL: the limit is lower still. Callers see it as no number left, EMFILE.
  const int saved = lifted < 0 && errno == EINVAL ? EMFILE : errno;
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
  // The size is a hint (files in /proc say 0): read on until the end or past the limit.
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

namespace {

/// Not inlined: few paths are so long, and the buffer would take a page of every caller's stack.
[[gnu::noinline]] std::string long_working_directory() {
  char buffer[PATH_MAX];
  return ::getcwd(buffer, sizeof buffer) != nullptr && buffer[0] == '/' ? buffer : "";
}

}  // namespace

std::string working_directory() {
  char buffer[256];
  if (::getcwd(buffer, sizeof buffer) == nullptr) {
    return errno == ERANGE ? long_working_directory() : "";
  }
  return buffer[0] == '/' ? buffer : "";  // else "(unreachable)…", getcwd(2)
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
