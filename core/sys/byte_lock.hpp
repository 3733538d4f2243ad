#pragma once

#include <sys/types.h>

namespace onelane::sys {

/// Locks on bytes of a file that belong to an open file description
/// (F_OFD_SETLK, fcntl(2)): a forked child that keeps the descriptor shares the lock, the
/// kernel frees it when the last copy is closed, and it works across PID namespaces.
/// The bytes need not exist. All functions throw SystemError when the file system has no
/// such locks.
enum class LockKind { Read, Write };

/// Takes the lock if it is free; never blocks.
[[nodiscard]] bool try_lock_byte(int fd, off_t byte, LockKind kind);

/// Takes a write lock on the bytes from `first` to `last` if no other description has a lock on any
/// of them; never blocks.
[[nodiscard]] bool try_lock_bytes(int fd, off_t first, off_t last);

/// Blocks until the lock is taken (true) or a signal handler ran (false).
[[nodiscard]] bool lock_byte(int fd, off_t byte, LockKind kind);

/// Frees the byte, or the bytes from `first` to `last`. Async-signal-safe; never blocks.
void unlock_byte(int fd, off_t byte) noexcept;
void unlock_bytes(int fd, off_t first, off_t last) noexcept;

/// True while another open file description holds a write lock on `byte`; our own locks do not
/// count. Never blocks.
[[nodiscard]] bool is_byte_locked(int fd, off_t byte);

}  // namespace onelane::sys
