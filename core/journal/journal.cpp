#include "core/journal/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <ranges>
#include <vector>

#include "core/journal/quiet_write.hpp"
#include "core/sys/byte_lock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::journal {
namespace {

/// "runs.jsonl" for 0, else "runs.jsonl.NUMBER", NUL-terminated.
using FileName = std::array<char, 24>;

FileName file_name(unsigned number) noexcept {
  FileName name{};
  std::snprintf(name.data(), name.size(), number == 0 ? "%s" : "%s.%u", kJournalName, number);
  return name;
}

constexpr off_t kRotateByte = off_t{1} << 40;  // far behind any end of the file
constexpr int kTries = 16;                     // each lost to a process that rotated or created

// Not lifted: closed again before anything else is opened or forked, and two calls cheaper.
// O_NONBLOCK: a planted FIFO must not hang us.
constexpr int kFlags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;

int create(int directory_fd, unsigned mode) noexcept {
  const int fd = ::openat(directory_fd, kJournalName, kFlags | O_CREAT | O_EXCL, mode);
  if (fd >= 0) {
    struct stat owner {};
    (void)::fchmod(fd, mode);
    if (::geteuid() == 0 && ::fstat(directory_fd, &owner) == 0) {
      (void)!::fchown(fd, owner.st_uid, owner.st_gid);
    }
  }
  return fd;
}

sys::FileDescriptor open_journal(int directory_fd, unsigned mode) noexcept {
  for (int i = 0; i < kTries; ++i) {
    int fd = ::openat(directory_fd, kJournalName, kFlags);
    if (fd < 0 && errno == ENOENT) {
      fd = create(directory_fd, mode);
    }
    if (fd >= 0 || (errno != EEXIST && errno != EINTR)) {
      return sys::FileDescriptor{fd};
    }
  }
  return sys::FileDescriptor{};
}

bool is_named(int directory_fd, int fd) noexcept {
  struct stat ours {};
  struct stat named {};
  return ::fstat(fd, &ours) == 0 &&
         ::fstatat(directory_fd, kJournalName, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

bool is_free(int directory_fd, const FileName& name) noexcept {
  struct stat info {};
  return ::fstatat(directory_fd, name.data(), &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

bool lock(int fd) noexcept {
  try {
    return sys::try_lock_byte(fd, kRotateByte, sys::LockKind::Write);
  } catch (const std::exception&) {
    return false;  // without such locks there is no lane either
  }
}

using Visit = std::function<bool(std::string_view)>;

constexpr std::size_t kChunk = std::size_t{256} << 10;

struct File {
  sys::FileDescriptor fd;
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
};

/// The file with this number, open for reading; one that cannot be read has none, and errno says
/// why.
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

/// All files of the journal, newest first. A rotation moves a file to a name that is opened
/// later, so it may come twice but not slip through.
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

/// pread(2) of the bytes [from, to), fewer when the file has become shorter.
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

/// The records in one physical line: one, or more behind a torn one.
bool visit_records(std::string_view line, Order order, const Visit& visit) {
  std::vector<std::string_view> pieces;
  for (auto at = line.find(kLineStart); at != std::string_view::npos;) {
    const auto next = line.find(kLineStart, at + 1);
    const std::string_view piece = line.substr(at, next - at);
    if (piece.ends_with('}') && piece.size() <= kLongestLine) {
      pieces.push_back(piece);
    }
    at = next;
  }
  if (order == Order::NewestFirst) {
    std::ranges::reverse(pieces);
  }
  return std::ranges::all_of(pieces, visit);
}

/// Lines longer than this are no records, nor can they hold many: their bytes are dropped.
bool is_endless(const std::string& carry) {
  return carry.size() > 2 * kLongestLine;
}

bool visit_forward(const File& file, const Visit& visit) {
  std::string carry;  // the beginning of a line that ends in a later chunk
  std::string chunk;
  for (off_t at = 0; at < file.size;) {
    read_range(file, at, std::min(file.size, at + static_cast<off_t>(kChunk)), chunk);
    if (chunk.empty()) {
      break;
    }
    at += static_cast<off_t>(chunk.size());
    std::string_view rest = chunk;
    for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      carry.append(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      if (!visit_records(carry, Order::OldestFirst, visit)) {
        return false;
      }
      carry.clear();
    }
    carry.append(rest);
    if (is_endless(carry)) {
      carry.clear();
    }
  }
  return visit_records(carry, Order::OldestFirst, visit);
}

/// As rfind, which looks at each byte.
std::size_t last_newline(std::string_view text) noexcept {
  const auto* found = static_cast<const char*>(::memrchr(text.data(), '\n', text.size()));
  return found == nullptr ? std::string_view::npos : static_cast<std::size_t>(found - text.data());
}

bool visit_backward(const File& file, const Visit& visit) {
  std::string carry;  // the end of a line that begins in an earlier chunk
  std::string chunk;
  for (off_t to = file.size; to > 0;) {
    const off_t from = std::max(off_t{0}, to - static_cast<off_t>(kChunk));
    read_range(file, from, to, chunk);
    to = from;
    chunk.append(carry);
    std::string_view rest = chunk;
    for (auto end = last_newline(rest); end != std::string_view::npos; end = last_newline(rest)) {
      if (!visit_records(rest.substr(end + 1), Order::NewestFirst, visit)) {
        return false;
      }
      rest = rest.substr(0, end);
    }
    carry = rest;
    if (is_endless(carry)) {
      carry.clear();
    }
  }
  return visit_records(carry, Order::NewestFirst, visit);
}

}  // namespace

void rotate(int directory_fd, int fd, unsigned keep) noexcept {
  // The lock goes with the file: a process that holds it and finds the name still on it is alone,
  // and the name is taken off it last.
  if (!lock(fd)) {
    return;
  }
  if (is_named(directory_fd, fd)) {
    const unsigned last = std::clamp(keep, 1U, kMostRotated);
    unsigned gap = 1;
    while (gap < last && !is_free(directory_fd, file_name(gap))) {
      ++gap;
    }
    bool moved = true;
    for (unsigned i = gap; moved && i > 0; --i) {
      moved =
          ::renameat(directory_fd, file_name(i - 1).data(), directory_fd, file_name(i).data()) == 0;
    }
  }
  sys::unlock_byte(fd, kRotateByte);
}

bool append(int directory_fd, const Record& record, const Rotation& rotation) noexcept try {
  const std::string line = to_line(record);
  const sys::FileDescriptor file = open_journal(directory_fd, rotation.mode);
  if (!file.is_open() || !write_quietly(file.get(), line)) {
    return false;
  }
  // After a write with O_APPEND the offset is the end of the file (write(2)).
  if (::lseek(file.get(), 0, SEEK_CUR) > rotation.max_bytes) {
    rotate(directory_fd, file.get(), rotation.keep);
  }
  return true;
} catch (const std::exception&) {
  return false;  // out of memory
}

void for_each(int directory_fd, Order order, const Visit& line) {
  std::vector<File> files = open_files(directory_fd);
  if (order == Order::OldestFirst) {
    std::ranges::reverse(files);
  }
  for (const File& file : files) {
    const bool wants_more =
        order == Order::OldestFirst ? visit_forward(file, line) : visit_backward(file, line);
    if (!wants_more) {
      return;
    }
  }
}

void for_each(const std::string& directory, Order order, const Visit& line) {
  const auto fd = sys::try_open_file(directory.c_str(), O_RDONLY | O_DIRECTORY);
  if (fd.is_open()) {
    for_each(fd.get(), order, line);
  }
}

std::optional<Unreadable> unreadable(const std::string& directory) {
  const auto is_there = [] { return errno != ENOENT && errno != ENOTDIR; };
  const auto fd = sys::try_open_file(directory.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd.is_open()) {
    return is_there() ? std::optional{Unreadable{directory, errno}} : std::nullopt;
  }
  for (unsigned number = 0; number <= kMostRotated; ++number) {
    if (!open_one(fd.get(), number).fd.is_open() && is_there()) {
      return Unreadable{directory + "/" + file_name(number).data(), errno};
    }
  }
  return std::nullopt;
}

std::optional<Record> find(const std::string& directory, std::string_view id) {
  std::optional<Record> found;
  if (!is_run_id(id)) {
    return found;
  }
  const std::string wanted = "\"id\":\"" + std::string{id} + '"';
  for_each(directory, Order::NewestFirst, [&](std::string_view line) {
    // The id is the second field; a look at the head spares parsing all the others.
    if (line.substr(0, 64).find(wanted) != std::string_view::npos) {
      found = parse(line);
      if (found && found->id != id) {
        found.reset();
      }
    }
    return !found;
  });
  return found;
}

}  // namespace onelane::journal
