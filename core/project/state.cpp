#include "core/project/state.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/sys/error.hpp"

namespace onelane::project {
namespace {

struct stat status_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    sys::throw_errno("use", path);
  }
  return info;
}

/// The directory whose owner and mode ours copies.
std::string model_of(const Project& project) {
  return project.git_dir.empty() || !project.state_dir.starts_with(project.git_dir)
             ? project.root
             : project.git_dir;
}

/// Group bits of core.sharedRepository: git makes a shared repository's own directories
/// group-writable, so its mode says it without reading the configuration.
unsigned directory_mode(const struct stat& model) {
  const unsigned shared = model.st_mode & (S_IWGRP | S_IWOTH);
  if ((shared & S_IWOTH) != 0) {
    return 02777;
  }
  return (shared & S_IWGRP) != 0 ? 02770 : 0700;
}

/// Makes one directory like `model`; one that exists already stays as it is.
void make_like(const std::string& path, const struct stat& model) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST) {
      return;
    }
    sys::throw_errno("make", path);
  }
  if (::geteuid() == 0 || model.st_gid != ::getegid()) {
    (void)!::lchown(path.c_str(), ::geteuid() == 0 ? model.st_uid : ::geteuid(), model.st_gid);
  }
  (void)::chmod(path.c_str(), directory_mode(model));
}

void check_owner(const std::string& path, const struct stat& ours, const struct stat& model) {
  const bool known = ours.st_uid == ::geteuid() || ours.st_uid == 0 || ours.st_uid == model.st_uid;
  const bool open_to_all = (ours.st_mode & S_IWOTH) != 0 && (model.st_mode & S_IWOTH) == 0;
  if (!known || open_to_all) {
    throw sys::SystemError{EPERM, known ? "trust a state directory that everybody may write to:"
                                        : "trust a state directory of a stranger:",
                           path};
  }
}

}  // namespace

sys::FileDescriptor open_state(const Project& project) {
  const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  sys::FileDescriptor directory = sys::try_open_file(project.state_dir.c_str(), flags);
  const struct stat model = status_of(model_of(project));
  if (!directory.is_open() && errno == ENOENT) {
    if (model_of(project) == project.root && project.state_dir.starts_with(project.root + "/.onelane/")) {
      make_like(project.root + "/.onelane", model);
    }
    make_like(project.state_dir, model);
    directory = sys::open_file(project.state_dir, flags);
  }
  if (!directory.is_open()) {
    sys::throw_errno("open", project.state_dir);
  }
  struct stat ours {};
  if (::fstat(directory.get(), &ours) != 0) {
    sys::throw_errno("stat", project.state_dir);
  }
  check_owner(project.state_dir, ours, model);
  return directory;
}

unsigned file_mode(const Project& project) {
  struct stat ours {};
  if (::stat(project.state_dir.c_str(), &ours) != 0) {
    return 0600;
  }
  return 0600U | (ours.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH));
}

}  // namespace onelane::project
