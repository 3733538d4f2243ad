#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/process/leftovers.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::process {

/// What ps(1) shows it as.
inline constexpr const char kGuardianName[] = "onelane-guard";

/// What a guardian has to do if the supervisor dies.
struct Duty {
  std::string run_id;
  RunTraits traits;
  KeepList keep;
  std::chrono::milliseconds kill_timeout{10'000};
  /// Descriptors the guardian keeps besides its own: the lane's, whose locks it shares.
  std::vector<int> descriptors;
  /// Runs in the guardian once the run's stragglers have ended, with what lives on; then it
  /// exits, which lets the locks go.
  std::function<void(const std::vector<KeptProcess>& kept)> after_crash;
};

/// A helper process that outlives a killed supervisor.
///
/// It lives in a session of its own, so that a signal to the caller's group misses it, has
/// none of the caller's descriptors and all signals blocked. It sleeps in a read of a
/// pipe: "settled" ends it, end of file without that word means that the supervisor
/// crashed. It knows the run's members by the run id in their environment and by what
/// the supervisor published last.
class Guardian {
 public:
  Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;
  ~Guardian();

  /// Forks it. The calling process must have one thread. Without a guardian (fork failed:
  /// pid() is -1, errno says why) the run goes on: the lane's record is then the only safety net.
  void start(const Duty& duty) noexcept;
  /// Shares the members known now; cheap, lock-free, at most kMostPublished of them.
  void publish(std::span<const sys::ProcessStat> members) noexcept;
  /// Tells it that the run has been settled.
  void settled() noexcept;
  /// Makes it drop, soon, the signals pending in it: one that comes later is seen to be new.
  void forget_signals() const noexcept;
  /// Reaps it after settled(); blocks for its exit.
  void reap() noexcept;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void forget() noexcept { pid_ = -1; }

  static constexpr std::size_t kMostPublished = 2048;

 private:
  struct Board;
  [[noreturn]] void watch(const Duty& duty, int pipe) noexcept;

  pid_t pid_ = -1;
  sys::FileDescriptor pipe_;
  Board* board_ = nullptr;  ///< Shared memory, ours and the guardian's.
};

}  // namespace onelane::process
