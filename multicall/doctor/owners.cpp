#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "core/project/state.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/users.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall::doctor {
namespace {

std::string octal(mode_t mode) {
  std::string text;
  for (unsigned shift = 9; shift <= 9; shift -= 3) {
    text += static_cast<char>('0' + ((mode >> shift) & 7U));
  }
  return text;
}

struct File {
  std::string path;
  struct stat info {};
  struct stat directory {};
};

bool is_same(const struct stat& left, const struct stat& right) {
  return left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

/// True if the file has no name but the one that was looked at, so that a change happens nowhere
/// else.
bool has_one_name(const struct stat& info) {
  return S_ISDIR(info.st_mode) || (S_ISREG(info.st_mode) && info.st_nlink == 1);
}

/// Opens the very file that was looked at, in the very directory: their owner may have replaced
/// either meanwhile. O_PATH (open(2)) needs no permission on the file.
sys::FileDescriptor reopen(const File& file, const char* action) {
  const std::filesystem::path path{file.path};
  const auto directory = sys::open_file(path.parent_path(), O_PATH | O_DIRECTORY);
  auto found = sys::lift(
      ::openat(directory.get(), path.filename().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat outer {};
  struct stat inner {};
  if (!found.is_open() || ::fstat(directory.get(), &outer) != 0 ||
      ::fstat(found.get(), &inner) != 0) {
    sys::throw_errno(action, file.path);
  }
  if (!is_same(outer, file.directory) || !is_same(inner, file.info) || !has_one_name(inner)) {
    throw sys::SystemError{ESTALE, action, file.path};
  }
  return found;
}

std::string set_mode(const File& file, mode_t mode) {
  const auto found = reopen(file, "change the mode of");
  // fchmod(2) does not accept an O_PATH descriptor; its link in /proc leads to the file (proc(5)).
  if (::chmod(("/proc/self/fd/" + std::to_string(found.get())).c_str(), mode) != 0) {
    sys::throw_errno("change the mode of", file.path);
  }
  return "mode " + octal(mode) + " for " + file.path;
}

/// Gives it to the owner of its directory.
std::string set_owner(const File& file) {
  const auto found = reopen(file, "change the owner of");
  if (::fchownat(found.get(), "", file.directory.st_uid, file.directory.st_gid, AT_EMPTY_PATH) !=
      0) {
    sys::throw_errno("change the owner of", file.path);
  }
  return "owner " + sys::user_name(file.directory.st_uid) + " for " + file.path;
}

/// Only the owner and root may change a file's mode.
bool may_mend(const struct stat& info) {
  return ::geteuid() == 0 || info.st_uid == ::geteuid();
}

void tell(const File& file, Finding finding, Findings& out) {
  if (!has_one_name(file.info)) {
    finding.what += S_ISREG(file.info.st_mode) ? ", and it is a hard link: the file has other names"
                                               : ", and it is no plain file";
    finding.todo = "see who put it there, then remove it";
    finding.command = "rm " + shell_word(file.path);
    finding.fix = nullptr;
  }
  out.wrong(std::move(finding));
}

void tell_mode(const File& file, const std::string& what, mode_t mode, Findings& out) {
  Finding finding{.what = what + " (mode " + octal(file.info.st_mode & 07777U) + ")",
                  .where = file.path,
                  .todo = "give it mode " + octal(mode)};
  const bool mends = may_mend(file.info);
  finding.command =
      mends ? "onelane doctor --fix" : "sudo chmod " + octal(mode) + " " + shell_word(file.path);
  if (mends) {
    finding.fix = [file, mode] { return set_mode(file, mode); };
  }
  tell(file, std::move(finding), out);
}

/// A file owned by root in a user's project (`sudo make`): the user can no longer write it.
bool tell_owner(const File& file, Findings& out) {
  const bool is_root = ::geteuid() == 0;
  const bool strange = is_root
                           ? file.info.st_uid != file.directory.st_uid
                           : file.info.st_uid != ::geteuid() &&
                                 ::faccessat(AT_FDCWD, file.path.c_str(), W_OK, AT_EACCESS) != 0;
  if (!strange) {
    return false;
  }
  const std::string owner =
      std::to_string(file.directory.st_uid) + ":" + std::to_string(file.directory.st_gid);
  Finding finding{.what = "belongs to " + sys::user_name(file.info.st_uid) + ", its directory to " +
                          sys::user_name(file.directory.st_uid) + ", who cannot write it",
                  .where = file.path,
                  .todo = "give it to the owner of the directory",
                  .command = is_root ? "onelane doctor --fix"
                                     : "sudo chown " + owner + " " + shell_word(file.path)};
  if (is_root) {
    finding.fix = [file] { return set_owner(file); };
  }
  tell(file, std::move(finding), out);
  return true;
}

void look_at_file(const std::string& directory, const std::string& name,
                  const struct stat& directory_info, Findings& out) {
  File file{directory + "/" + name, {}, directory_info};
  if (::lstat(file.path.c_str(), &file.info) != 0) {
    return;
  }
  if (S_ISLNK(file.info.st_mode)) {
    out.wrong({.what = "a symbolic link stands where a file of the lane should be",
               .where = file.path,
               .todo = "see who put it there, then remove it",
               .command = "rm " + shell_word(file.path)});
    return;
  }
  if (tell_owner(file, out)) {
    return;
  }
  const mode_t mode = file.info.st_mode & 07777U;
  const mode_t needed = S_ISDIR(file.info.st_mode) ? S_IRWXU : S_IRUSR | S_IWUSR;
  if ((mode & needed) != needed) {
    tell_mode(file, "its owner cannot write it", mode | needed, out);
  } else if ((mode & S_IWOTH) != 0 && (directory_info.st_mode & S_IWOTH) == 0) {
    tell_mode(file, "everybody can write it", mode & ~static_cast<mode_t>(S_IWOTH), out);
  }
}

/// The state directory, checked as every call checks it.
void look_at_directory(const Scene& scene, struct stat& info, Findings& out) {
  const std::string& path = scene.placed.state_dir;
  File file{path, info, {}};
  (void)::stat(std::filesystem::path{path}.parent_path().c_str(), &file.directory);
  if ((info.st_mode & S_IRWXU) != S_IRWXU) {
    tell_mode(file, "its owner cannot work in it", (info.st_mode & 07777U) | S_IRWXU, out);
    return;
  }
  try {
    (void)project::open_state(scene.placed);
  } catch (const sys::SystemError& failure) {
    if ((info.st_mode & S_IWOTH) != 0 && failure.code().value() == EPERM) {
      tell_mode(file, "everybody can write it, so no call uses it",
                info.st_mode & 07775U & ~static_cast<mode_t>(S_IWOTH), out);
    } else {
      out.wrong({.what = "no call can use it: " + std::string{failure.what()},
                 .where = path,
                 .todo = "give it to the owner of the project"});
    }
    return;
  }
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    const std::string why = errno == EROFS ? "is on a read-only file system"
                                           : "belongs to " + sys::user_name(info.st_uid) +
                                                 ", and you cannot write there";
    out.wrong({.what = "the lane's directory " + why + ": calls run without the lane",
               .where = path,
               .todo = "give it to the user who works here, or share it: git config "
                       "core.sharedRepository group"});
  }
}

}  // namespace

void look_at_owners(const Scene& scene, Findings& out) {
  const std::string& path = scene.placed.state_dir;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    out.ok("nothing is there yet");
    return;
  }
  look_at_directory(scene, info, out);
  for (const char* name : {"lane", "gate", "runs.jsonl", "manifest", "logs", "git"}) {
    look_at_file(path, name, info, out);
  }
  struct stat git {};
  if (::lstat((path + "/git").c_str(), &git) == 0 && S_ISDIR(git.st_mode)) {
    for (const char* name : {"lane", "gate"}) {
      look_at_file(path + "/git", name, git, out);
    }
  }
  if (out.empty()) {
    out.ok("owners and modes are as they should be");
  }
}

}  // namespace onelane::multicall::doctor
