#pragma once

#include <sys/types.h>

namespace onelane::sys {

/// Locks on single bytes of a file that belong to an open file description
/// (F_OFD_SETLK, fcntl(2)): a forked child that keeps the descriptor shares the lock, the
/// kernel frees it when the last copy is closed, and it works across PID namespaces.
/// The bytes need not exist. All functions throw SystemError when the file system has no
/// such locks.
enum class LockKind { Read, Write };

/// Takes the lock if it is free; never blocks.
[[nodiscard]] bool try_lock_byte(int fd, off_t byte, LockKind kind);

/// Blocks until the lock is taken (true) or a signal handler ran (false).
[[nodiscard]] bool lock_byte(int fd, off_t byte, LockKind kind);

/// Frees the byte. Async-signal-safe; never blocks.
void unlock_byte(int fd, off_t byte) noexcept;

/// True while another open file description holds a write lock on `byte`; our own locks do not
/// count. Never blocks.
[[nodiscard]] bool is_byte_locked(int fd, off_t byte);

}  // namespace onelane::sys
