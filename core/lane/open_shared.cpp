#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/lane/table.hpp"
#include "core/sys/error.hpp"

namespace onelane::lane {
namespace {

void expect_regular(int fd, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    sys::throw_errno("stat", path);
  }
  if (!S_ISREG(info.st_mode)) {
    throw sys::SystemError{
        EINVAL, "open",
        path + (S_ISFIFO(info.st_mode) ? ", which is a FIFO" : ", which is no file")};
  }
}

}  // namespace

FileId file_id_of(int fd) noexcept {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? FileId{info.st_dev, info.st_ino} : FileId{};
}

sys::FileDescriptor open_shared(const std::string& path, const std::string& directory,
                                unsigned mode) {
  // O_NONBLOCK: opening a planted FIFO or device must not hang us; it has no effect on a file.
  const int flags = O_RDWR | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
  for (;;) {
    auto file = sys::try_open_file(path.c_str(), flags);
    if (file.is_open()) {
      expect_regular(file.get(), path);
      return file;
    }
    if (errno != ENOENT) {
      return sys::open_file(path, flags);
    }
    file = sys::try_open_file(path.c_str(), flags | O_CREAT | O_EXCL, mode);
    if (file.is_open()) {
      struct stat owner {};
      (void)::fchmod(file.get(), mode);  // undoes the caller's umask
      if (::geteuid() == 0 && ::stat(directory.c_str(), &owner) == 0) {
        (void)!::fchown(file.get(), owner.st_uid, owner.st_gid);
      }
      return file;
    }
    if (errno != EEXIST) {
      return sys::open_file(path, flags | O_CREAT, mode);
    }
  }
}

}  // namespace onelane::lane
