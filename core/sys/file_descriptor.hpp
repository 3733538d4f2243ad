#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace onelane::sys {

/// Where our own descriptors live. Callers pass descriptors by number (jobserver 3 and 4,
/// bash's 63, node's IPC channel), so ours stay out of their way and out of bash's 10 and 255.
inline constexpr int kFirstOwnDescriptor = 200;

/// Where they live when RLIMIT_NOFILE is lower than that.
inline constexpr int kFirstOwnDescriptorOfFew = 20;

/// Closes every descriptor above 2 that is not held by a FileDescriptor. Async-signal-safe.
void close_foreign_descriptors() noexcept;

/// Closes every descriptor that a FileDescriptor holds, as execve(2) would, for a forked child that
/// goes on as another program: locks on them stay with the parent alone. The objects that held them
/// must not be used or destroyed any more. Async-signal-safe.
void close_own_descriptors() noexcept;

/// Sole owner of one open descriptor; closes it on destruction.
///
/// Every FileDescriptor is close-on-exec and numbered kFirstOwnDescriptor or above, so
/// nothing leaks into the tool we run. Moved-from means "owns nothing".
class FileDescriptor {
 public:
  FileDescriptor() = default;
  /// Takes ownership of `fd`, which must be open, or -1 for "none".
  explicit FileDescriptor(int fd) noexcept;
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  FileDescriptor(FileDescriptor&& other) noexcept : FileDescriptor{other.release()} {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~FileDescriptor() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }  ///< Borrowed.
  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept;  ///< Caller owns it now.
  /// Closes what is held, then owns `fd`. Errors of close(2) are ignored: on Linux the
  /// number is gone whatever it returns, so retrying is a bug.
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// Takes `fd` (owned by the caller, closed here in every case) and returns it as a close-on-exec
/// descriptor numbered kFirstOwnDescriptor or above. Returns an empty one with errno set when `fd`
/// is -1 or no number is left (EMFILE).
[[nodiscard]] FileDescriptor lift(int fd) noexcept;

/// Opens `path` close-on-exec and lifted. Throws SystemError naming the path.
[[nodiscard]] FileDescriptor open_file(const std::string& path, int flags, unsigned mode = 0600);

/// Like open_file, but returns an empty descriptor with errno set on failure.
[[nodiscard]] FileDescriptor try_open_file(const char* path, int flags,
                                           unsigned mode = 0600) noexcept;

/// Reads a whole regular file as data: O_NOFOLLOW | O_NONBLOCK, never more than `limit` bytes.
/// nullopt with errno set when it is missing, not a regular file (EINVAL), a symbolic link (ELOOP),
/// unreadable or longer than `limit` (EFBIG).
[[nodiscard]] std::optional<std::string> read_small_file(const char* path, std::size_t limit);

/// The working directory, absolute; empty when it is deleted or outside our root directory.
[[nodiscard]] std::string working_directory();

/// read(2) until `size` bytes, end of file or an error; retries EINTR. Returns the bytes read, or
/// -1.
[[nodiscard]] long read_up_to(int fd, char* buffer, std::size_t size) noexcept;

/// write(2) of all bytes, retrying EINTR and short writes. False with errno set on failure.
bool write_all(int fd, std::string_view bytes) noexcept;

}  // namespace onelane::sys
