#include "multicall/report/out_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "multicall/term/print.hpp"

namespace onelane::multicall {
namespace {

constexpr int kTries = 100;

/// Creates a new file named after `path`: O_EXCL follows no link (open(2)).
sys::FileDescriptor create_beside(const std::string& path, std::string& name) {
  for (int number = 0; number < kTries; ++number) {
    name = fmt::format("{}.onelane-{}-{}", path, ::getpid(), number);
    auto fd = sys::try_open_file(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    if (fd.is_open() || errno != EEXIST) {
      return fd;
    }
  }
  errno = EEXIST;
  return {};
}

/// The target of `path` behind all links, which may not exist yet; stat(2) has found no loop.
std::string behind_links(const std::string& path) {
  std::filesystem::path target{path};
  std::error_code none;
  while (descriptor_named(target.native()) < 0 && std::filesystem::is_symlink(target, none)) {
    target = target.parent_path() / std::filesystem::read_symlink(target, none);
  }
  return target;
}

/// Writes beside `target`, then renames; `old` describes the present file, if any. False sets
/// errno.
bool replace(const std::string& target, const struct stat* old, std::string_view bytes) {
  std::string name;
  const sys::FileDescriptor fd = create_beside(target, name);
  if (!fd.is_open()) {
    return false;
  }
  if ((old == nullptr || ::fchmod(fd.get(), old->st_mode & 0777U) == 0) &&
      sys::write_all(fd.get(), bytes) && ::fsync(fd.get()) == 0 &&
      ::rename(name.c_str(), target.c_str()) == 0) {
    return true;
  }
  const int error = errno;
  (void)::unlink(name.c_str());
  errno = error;
  return false;
}

}  // namespace

int descriptor_named(std::string_view path) noexcept {
  if (path == "-" || path == "/dev/stdout") {
    return 1;
  }
  if (path == "/dev/stderr") {
    return 2;
  }
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (path.starts_with(folder)) {
      const char* const end = path.data() + path.size();
      int fd = -1;
      const auto [behind, error] = std::from_chars(path.data() + folder.size(), end, fd);
      return error == std::errc{} && behind == end ? fd : -1;
    }
  }
  return -1;
}

void write_out(const std::string& path, std::string_view bytes) {
  // Opens the path itself: only then does the kernel refuse a stranger's link in /tmp (proc(5),
  // protected_symlinks).
  struct stat info {};
  const bool is_there = ::stat(path.c_str(), &info) == 0;
  if (!is_there && errno != ENOENT) {
    sys::throw_errno("write", path);
  }
  const std::string target = behind_links(path);
  const int descriptor = descriptor_named(target);
  if (descriptor == 1) {
    print(bytes);
    return;
  }
  if (descriptor >= 0) {
    if (!sys::write_all(descriptor, bytes)) {
      sys::throw_errno("write", path);
    }
  } else if (is_there && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    const auto fd = sys::open_file(path, O_WRONLY | O_NOCTTY);
    if (!sys::write_all(fd.get(), bytes)) {
      sys::throw_errno("write", path);
    }
  } else if (!replace(target, is_there ? &info : nullptr, bytes)) {
    sys::throw_errno("write", path);
  }
}

void append_out(const std::string& path, std::string_view bytes) {
  const auto fd = sys::open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK, 0666);
  if (!sys::write_all(fd.get(), bytes)) {
    sys::throw_errno("write", path);
  }
}

}  // namespace onelane::multicall
