#include "core/journal/log_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/sys/error.hpp"

namespace onelane::journal {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
constexpr int kAppend = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_not_of('/', path.find_last_of('/'));
  return slash == std::string::npos ? "/" : path.substr(0, slash + 1);
}

/// What root makes in a user's directory belongs to that user.
void give_to_owner_of(const struct stat& directory, int fd) noexcept {
  if (::geteuid() == 0) {
    (void)!::fchown(fd, directory.st_uid, directory.st_gid);
  }
}

void make_directory(const std::string& path) {
  int made = ::mkdir(path.c_str(), 0700);
  if (made != 0 && errno == ENOENT && path.find('/', 1) != std::string::npos) {
    make_directory(parent_of(path));
    made = ::mkdir(path.c_str(), 0700);
  }
  if (made != 0) {
    if (errno == EEXIST) {
      return;
    }
    sys::throw_errno("create", path);
  }
  const auto fd = sys::open_file(path, kDirectory);
  struct stat above {};
  if (::stat(parent_of(path).c_str(), &above) == 0) {
    give_to_owner_of(above, fd.get());
    // Several users share what is above: each of them has logs to write.
    const bool is_shared = (above.st_mode & (S_IWGRP | S_IWOTH)) == S_IWGRP;
    if (is_shared) {
      (void)!::fchown(fd.get(), static_cast<uid_t>(-1), above.st_gid);
      (void)::fchmod(fd.get(), above.st_mode & 02770U);
    }
  }
}

sys::FileDescriptor create(int directory_fd, const std::string& name, const struct stat& above) {
  auto fd =
      sys::lift(::openat(directory_fd, name.c_str(), kAppend | O_CREAT | O_EXCL, mode_t{0600}));
  if (!fd.is_open()) {
    sys::throw_errno("create", name);
  }
  (void)::fchmod(fd.get(), 0600);
  give_to_owner_of(above, fd.get());
  return fd;
}

}  // namespace

sys::FileDescriptor open_log_directory(const std::string& path) {
  if (!path.starts_with('/')) {
    throw sys::SystemError{EINVAL, "log to", path};  // the current directory means nothing here
  }
  auto fd = sys::try_open_file(path.c_str(), kDirectory);
  if (!fd.is_open() && errno == ENOENT) {
    make_directory(path);
    fd = sys::try_open_file(path.c_str(), kDirectory);
  }
  if (!fd.is_open()) {
    sys::throw_errno("open", path);
  }
  return fd;
}

sys::FileDescriptor open_log_file(int directory_fd, const std::string& name) {
  struct stat above {};
  if (::fstat(directory_fd, &above) != 0) {
    sys::throw_errno("stat", "the log directory");
  }
  auto fd = sys::lift(::openat(directory_fd, name.c_str(), kAppend));
  if (!fd.is_open()) {
    if (errno == ENOENT) {
      return create(directory_fd, name, above);
    }
    sys::throw_errno("open", name);
  }
  struct stat info {};
  const bool is_ours = ::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode) &&
                       info.st_nlink == 1 &&
                       (info.st_uid == ::geteuid() || info.st_uid == above.st_uid);
  if (!is_ours) {
    throw sys::SystemError{EPERM, "use", name};
  }
  return fd;
}

}  // namespace onelane::journal
