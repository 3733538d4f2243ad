#include "core/project/state.hpp"

#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <initializer_list>
#include <string>

#include "core/project/git_dir.hpp"
#include "core/sys/error.hpp"

namespace onelane::project {
namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

bool is_one_of(const std::string& value, std::initializer_list<const char*> words) {
  return std::ranges::any_of(
      words, [&](const char* word) { return ::strcasecmp(value.c_str(), word) == 0; });
}

/// What core.sharedRepository adds to a directory's mode, 0 for nothing: a word, a boolean, or
/// octal permissions for files (git-config(1)).
mode_t shared_bits(const Project& project) {
  if (project.common_dir.empty()) {
    return 0;
  }
  const auto value = core_setting({project.git_dir, project.common_dir}, "sharedRepository");
  if (!value) {
    return 0;
  }
  constexpr mode_t kGroup = S_ISGID | S_IRWXG;
  if (is_one_of(*value,
                {"", "group", "true", "yes", "on", "1", "2", "all", "world", "everybody"})) {
    return kGroup;
  }
  const unsigned long files = std::strtoul(value->c_str(), nullptr, 8);
  return ((files & S_IWGRP) != 0 ? kGroup : 0U) | ((files & S_IWOTH) != 0 ? S_IRWXO : 0U);
}

/// The directory that must exist; directories made below it get the same owner, group and mode.
struct Parent {
  sys::FileDescriptor fd;
  struct stat info {};
  const Project& project;
};

Parent open_parent(const Project& project, const std::string& path) {
  Parent out{sys::open_file(path, kDirectory), {}, project};
  if (::fstat(out.fd.get(), &out.info) != 0) {
    sys::throw_errno("stat", path);
  }
  return out;
}

void dress(int fd, const Parent& parent, const std::string& path) {
  const mode_t mode = (parent.info.st_mode & 07775) | S_IRWXU | shared_bits(parent.project);
  const bool is_root = ::geteuid() == 0;
  // Only root may give files away; a group we do not belong to is not set, as with any file made
  // here.
  if (::fchown(fd, is_root ? parent.info.st_uid : static_cast<uid_t>(-1), parent.info.st_gid) !=
          0 &&
      is_root) {
    sys::throw_errno("change the owner of", path);
  }
  if (::fchmod(fd, mode) != 0) {
    sys::throw_errno("change the mode of", path);
  }
}

sys::FileDescriptor open_or_make(int below_fd, const char* name, const Parent& parent,
                                 const std::string& path) {
  sys::FileDescriptor fd = sys::lift(::openat(below_fd, name, kDirectory));
  if (fd.is_open()) {
    return fd;
  }
  bool made = false;
  if (errno == ENOENT) {
    made = ::mkdirat(below_fd, name, parent.info.st_mode & 0775) == 0;
    if (!made && errno != EEXIST) {
      sys::throw_errno("create", path);
    }
    fd = sys::lift(::openat(below_fd, name, kDirectory));
  }
  if (!fd.is_open()) {
    sys::throw_errno("open", path);
  }
  if (made) {
    dress(fd.get(), parent, path);
  }
  return fd;
}

void check(int fd, const Parent& parent, const std::string& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    sys::throw_errno("stat", path);
  }
  if (info.st_uid != ::geteuid() && info.st_uid != 0 && info.st_uid != parent.info.st_uid) {
    throw sys::SystemError{EPERM, "use",
                           path + " (owned by uid " + std::to_string(info.st_uid) +
                               ", who is neither you nor root nor the owner of the project)"};
  }
  if ((info.st_mode & S_IWOTH) != 0 && (shared_bits(parent.project) & S_IWOTH) == 0) {
    throw sys::SystemError{EPERM, "use", path + " (writable by everybody: chmod o-w it)"};
  }
}

}  // namespace

sys::FileDescriptor open_state(const Project& project) {
  const std::string above = parent_of(project.state_dir);
  const bool in_git = !project.git_dir.empty() && project.state_dir == above + "/onelane" &&
                      (above == project.git_dir || above == project.common_dir);
  if (!in_git && project.state_dir != project.root + "/.onelane/state") {
    // Placed elsewhere by a setting; the code for that setting made it.
    const Parent itself = open_parent(project, project.state_dir);
    check(itself.fd.get(), itself, project.state_dir);
    return sys::open_file(project.state_dir, kDirectory);
  }
  const Parent parent = open_parent(project, in_git ? above : project.root);
  sys::FileDescriptor out;
  if (in_git) {
    out = open_or_make(parent.fd.get(), "onelane", parent, project.state_dir);
  } else {
    const std::string outer = parent_of(project.state_dir);
    const auto middle = open_or_make(parent.fd.get(), ".onelane", parent, outer);
    check(middle.get(), parent, outer);
    out = open_or_make(middle.get(), "state", parent, project.state_dir);
  }
  check(out.get(), parent, project.state_dir);
  return out;
}

unsigned file_mode(int state_dir) noexcept {
  struct stat info {};
  if (::fstat(state_dir, &info) != 0) {
    return 0600;
  }
  const unsigned others = (info.st_mode & S_IWOTH) != 0 ? 0006U : 0U;
  return 0600U | ((info.st_mode & S_IWGRP) != 0 ? 0060U : 0U) | others;
}

}  // namespace onelane::project
