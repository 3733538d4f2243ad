#pragma once

#include <sys/types.h>

#include <atomic>
#include <memory>
#include <thread>

#include "core/sys/byte_lock.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::lane {

/// Waits for a byte lock in a helper thread, so that the main thread stays responsive to signals
/// and timers: the thread blocks in F_OFD_SETLKW and then makes `fd()` readable.
///
/// A read lock is released at once (it only served to wait), a write lock is kept by the
/// description. The thread is joined by `cancel` and by the destructor, one of which must run
/// before any fork.
class Sleeper {
 public:
  Sleeper();
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;
  ~Sleeper() { cancel(); }

  /// Starts waiting for `byte` of `file`, which must stay open until cancel().
  void start(int file, off_t byte, sys::LockKind kind);
  [[nodiscard]] bool is_running() const noexcept { return thread_.joinable(); }
  /// True once the lock was acquired; then cancel() only joins.
  [[nodiscard]] bool is_done() const noexcept { return done_.load(); }
  /// Readable once the lock was acquired or waiting failed.
  [[nodiscard]] int fd() const noexcept { return event_.get(); }
  /// Interrupts the thread and joins it; blocks for microseconds.
  void cancel() noexcept;

 private:
  void run(int file, off_t byte, sys::LockKind kind) noexcept;

  sys::FileDescriptor event_;
  std::thread thread_;
  std::atomic<bool> done_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> stop_{false};
};

}  // namespace onelane::lane
