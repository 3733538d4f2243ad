#include "multicall/doctor/file_system.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <functional>

#include "core/process/ask.hpp"
#include "core/project/state.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/clock.hpp"
#include "core/sys/error.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/users.hpp"
#include "multicall/doctor/checks.hpp"
#include "multicall/term/words.hpp"

namespace onelane::multicall::doctor {
namespace {

struct Row {
  unsigned long magic;
  FileSystem system;
};

/// linux/magic.h and the file systems' own sources.
constexpr auto kRows = std::to_array<Row>({
    {0x6969, {"nfs", Place::Network}},          {0x517b, {"smb", Place::Network}},
    {0xff534d42, {"cifs", Place::Network}},     {0xfe534d42, {"smb2", Place::Network}},
    {0x5346414f, {"afs", Place::Network}},      {0x73757245, {"coda", Place::Network}},
    {0x00c36400, {"ceph", Place::Network}},     {0x0bd00bd0, {"lustre", Place::Network}},
    {0x47504653, {"gpfs", Place::Network}},     {0x01161970, {"gfs2", Place::Network}},
    {0x7461636f, {"ocfs2", Place::Network}},    {0x01021997, {"9p", Place::Shared}},
    {0x65735546, {"fuse", Place::Shared}},      {0x786f4256, {"vboxsf", Place::Shared}},
    {0xbacbacbc, {"vmhgfs", Place::Shared}},    {0x7c7c6673, {"prl_fs", Place::Shared}},
    {0x6a656a63, {"fakeowner", Place::Shared}}, {0x794c7630, {"overlay", Place::Layered}},
    {0x61756673, {"aufs", Place::Layered}},
});

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
  if (::chmod(fmt::format("/proc/self/fd/{}", found.get()).c_str(), mode) != 0) {
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
                                               : ", and it is not a regular file";
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
  const std::string owner = fmt::format("{}:{}", file.directory.st_uid, file.directory.st_gid);
  Finding finding{
      .what = fmt::format("belongs to {}, its directory to {}, who cannot write to it",
                          sys::user_name(file.info.st_uid), sys::user_name(file.directory.st_uid)),
      .where = file.path,
      .todo = "give it to the owner of the directory",
      .command =
          is_root ? "onelane doctor --fix" : "sudo chown " + owner + " " + shell_word(file.path)};
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
    tell_mode(file, "its owner cannot write to it", mode | needed, out);
  } else if ((mode & S_IWOTH) != 0 && (directory_info.st_mode & S_IWOTH) == 0) {
    tell_mode(file, "everyone can write to it", mode & ~static_cast<mode_t>(S_IWOTH), out);
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
      tell_mode(file, "everyone can write to it, so no call uses it",
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

using Result = LockTrial::Result;

/// A file of the trial's own, opened twice: two open file descriptions, as two processes have.
struct TrialFile {
  explicit TrialFile(const std::string& directory)
      : path{fmt::format("{}/doctor-{}", directory, ::getpid())},
        theirs{sys::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)} {
    ours = sys::try_open_file(path.c_str(), O_RDWR | O_NOFOLLOW);
    const int error = errno;
    ::unlink(path.c_str());
    if (!ours.is_open()) {
      throw sys::SystemError{error, "open", path};
    }
  }
  std::string path;
  sys::FileDescriptor theirs;
  sys::FileDescriptor ours;
};

/// In the child after fork: locks, reports, and waits to be killed.
[[noreturn]] void hold(int file, int tell, pid_t parent) {
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_len = 1;
  const char error =
      ::fcntl(file, F_OFD_SETLK, &lock) == 0 ? '\0' : static_cast<char>(errno & 0x7f);
  if (::write(tell, &error, 1) != 1 || ::getppid() != parent) {
    ::_exit(1);
  }
  for (;;) {
    ::pause();
  }
}

/// Polls until the condition holds, or until the time for an answer is over.
bool comes(const std::function<bool()>& is_so) {
  const auto deadline = sys::monotonic_time() + process::kPatience;
  while (!is_so()) {
    if (sys::monotonic_time() >= deadline) {
      return false;
    }
    (void)::poll(nullptr, 0, 1);
  }
  return true;
}

void end(pid_t child) {
  (void)::kill(child, SIGKILL);
  (void)comes([child] { return ::waitpid(child, nullptr, WNOHANG) != 0; });
}

/// The child's report about its lock: 0, an errno, or -1 if none came in time.
int listen(int fd) {
  pollfd polled{fd, POLLIN, 0};
  char error = 0;
  const bool told = ::poll(&polled, 1, static_cast<int>(process::kPatience.count())) == 1;
  return told && ::read(fd, &error, 1) == 1 ? error : -1;
}

}  // namespace

FileSystem file_system_of(long magic) noexcept {
  // A 32-bit number that some callers pass sign-extended.
  const unsigned long wanted = static_cast<unsigned long>(magic) & 0xffffffffUL;
  const auto* row = std::ranges::find(kRows, wanted, &Row::magic);
  return row == kRows.end() ? FileSystem{} : row->system;
}

std::string_view meaning_of(Place place) noexcept {
  switch (place) {
    case Place::Local:
      return "";
    case Place::Network:
      return "other machines share it, and onelane serves one";
    case Place::Shared:
      return "a host or another program shares it, which may not see these locks";
    case Place::Layered:
      return "it is private to this container: calls from outside are not in this lane";
  }
  return "";
}

Room room_of(unsigned long long bytes, unsigned long long inodes,
             unsigned long long all_inodes) noexcept {
  constexpr unsigned long long kMebibyte = 1ULL << 20U;
  if (bytes < 2 * kMebibyte || (all_inodes != 0 && inodes == 0)) {
    return Room::None;
  }
  return bytes < 100 * kMebibyte || (all_inodes != 0 && inodes < 100) ? Room::Little : Room::Enough;
}

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

LockTrial try_locks(const std::string& directory) {
  TrialFile file{directory};
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    sys::throw_errno("make", "a pipe");
  }
  const sys::FileDescriptor in = sys::lift(ends[0]);
  const sys::FileDescriptor out = sys::lift(ends[1]);
  const auto begin = sys::monotonic_time();
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) {
    sys::throw_errno("fork", "");
  }
  if (child == 0) {
    hold(file.theirs.get(), out.get(), self);
  }
  // Only the child has that open file description now: its death frees the lock.
  file.theirs.reset();
  const int told = listen(in.get());
  const bool excludes = told == 0 && sys::is_byte_locked(file.ours.get(), 0);
  end(child);
  if (told > 0) {
    throw sys::SystemError{told, "lock", file.path};
  }
  LockTrial trial;
  const bool freed = told == 0 && comes([&] {
                       return sys::try_lock_byte(file.ours.get(), 0, sys::LockKind::Write);
                     });
  trial.result = told < 0    ? Result::NoAnswer
                 : !excludes ? Result::NotExclusive
                 : !freed    ? Result::NotFreed
                             : Result::Works;
  trial.microseconds = static_cast<long>(
      std::chrono::duration_cast<std::chrono::microseconds>(sys::monotonic_time() - begin).count());
  return trial;
}

}  // namespace onelane::multicall::doctor
