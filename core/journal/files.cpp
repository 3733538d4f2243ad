#include "core/journal/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/journal/journal.hpp"

namespace onelane::journal {

FileName file_name(unsigned number) noexcept {
  FileName name{};
  std::snprintf(name.data(), name.size(), number == 0 ? "%s" : "%s.%u", kJournalName, number);
  return name;
}

File open_one(int directory_fd, unsigned number) {
  File file;
  auto fd = sys::lift(::openat(directory_fd, file_name(number).data(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
  struct stat info {};
  if (!fd.is_open() || ::fstat(fd.get(), &info) != 0) {
    return file;
  }
  if (!S_ISREG(info.st_mode)) {
    errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    return file;
  }
  file = {std::move(fd), info.st_dev, info.st_ino, info.st_size};
  return file;
}

std::vector<File> open_files(int directory_fd) {
  std::vector<File> files;
  for (unsigned number = 0; number <= kMostRotated; ++number) {
    File file = open_one(directory_fd, number);
    const auto is_same = [&](const File& other) {
      return other.device == file.device && other.inode == file.inode;
    };
    if (file.fd.is_open() && std::ranges::none_of(files, is_same)) {
      files.push_back(std::move(file));
    }
  }
  return files;
}

void read_range(const File& file, off_t from, off_t to, std::string& out) {
  out.resize(static_cast<std::size_t>(to - from));
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(file.fd.get(), out.data() + done, out.size() - done,
                                from + static_cast<off_t>(done));
    if (got <= 0 && !(got < 0 && errno == EINTR)) {
      break;
    }
    done += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  out.resize(done);
}

}  // namespace onelane::journal
