#include "core/settings/trust.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

#include "core/settings/sha256.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::settings {
namespace {

/// `path` with its directory resolved, so that each file has only one name.
std::string resolved(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos || slash == 0) {
    return path;
  }
  const std::unique_ptr<char, decltype(&std::free)> directory{
      ::realpath(path.substr(0, slash).c_str(), nullptr), &std::free};
  return directory ? directory.get() + path.substr(slash) : path;
}

std::string entry_of(const std::string& directory, const std::string& path,
                     std::string_view content) {
  std::string bytes = resolved(path);
  bytes.push_back('\0');
  bytes.append(content);
  return directory + "/" + sha256(bytes);
}

void make_directories(const std::string& directory) {
  for (auto slash = directory.find('/', 1);; slash = directory.find('/', slash + 1)) {
    const auto part = directory.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      sys::throw_errno("make directory", part);
    }
    if (slash == std::string::npos) {
      return;
    }
  }
}

}  // namespace

std::string trust_directory(const std::string& home, const Environment& environment) {
  // XDG Base Directory Specification: a relative path is invalid and is ignored.
  const char* const data = environment ? environment("XDG_DATA_HOME") : nullptr;
  if (data != nullptr && data[0] == '/') {
    return std::string{data} + "/onelane/trust";
  }
  return home.starts_with('/') ? home + "/.local/share/onelane/trust" : std::string{};
}

bool is_trusted(const std::string& directory, const std::string& path, std::string_view content) {
  if (directory.empty()) {
    return false;
  }
  struct stat info {};
  return ::lstat(entry_of(directory, path, content).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void trust(const std::string& directory, const std::string& path, std::string_view content) {
  if (directory.empty()) {
    throw sys::SystemError{ENOENT, "find a home directory in which to record trust in", path};
  }
  make_directories(directory);
  const auto entry = entry_of(directory, path, content);
  const auto file =
      sys::try_open_file(entry.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!file.is_open()) {
    if (errno == EEXIST && is_trusted(directory, path, content)) {
      return;
    }
    sys::throw_errno("create", entry);
  }
  if (!sys::write_all(file.get(), resolved(path) + "\n")) {
    sys::throw_errno("write", entry);
  }
}

}  // namespace onelane::settings
