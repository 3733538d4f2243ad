#pragma once

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <memory>
#include <string>

namespace onelane::lane {

/// The interprocess named mutex of a project: FIFO, fair, and free again when its owner is
/// killed. Models Boost's TimedLockable, so `boost::interprocess::scoped_lock<LaneMutex>`
/// works with it; the name is the lane's state directory.
///
/// `boost::interprocess::named_mutex` is not used: it stays locked for ever after a SIGKILL
/// of its owner (boostorg/interprocess#74; shown by tests/unit/core/lane/mutex_test.cpp).
/// Not recursive. lock() blocks; every member throws sys::SystemError when the directory
/// cannot be used.
class LaneMutex {
 public:
  explicit LaneMutex(const std::string& state_directory);
  LaneMutex(const LaneMutex&) = delete;
  LaneMutex& operator=(const LaneMutex&) = delete;
  ~LaneMutex();

  void lock();
  [[nodiscard]] bool try_lock();
  /// `until` is UTC, as Boost's own mutexes have it.
  [[nodiscard]] bool timed_lock(const boost::posix_time::ptime& until);
  void unlock();

 private:
  [[nodiscard]] bool lock_within(int milliseconds);  ///< -1: for ever.
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onelane::lane
