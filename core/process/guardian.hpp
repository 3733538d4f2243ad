#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/process/background.hpp"
#include "core/process/leftovers.hpp"
#include "core/sys/file_descriptor.hpp"

namespace onelane::process {

/// What ps(1) shows it as.
inline constexpr const char kGuardianName[] = "onelane-guard";

/// What a guardian does for the lane that its run holds. The functions run in the guardian, and may
/// be empty only where there is no lane.
struct LaneDuty {
  /// Descriptors that it keeps besides its own: the lane's, whose locks it shares.
  std::vector<int> descriptors;
  /// The supervisor was killed and the run's stragglers have ended; `kept` lives on. Then the
  /// guardian exits, which lets the locks go.
  std::function<void(const std::vector<KeptProcess>& kept)> after_crash;
  /// After a crash it has found `calls` in the background: the lane is kept for them, by the
  /// calling process.
  std::function<void(const std::vector<KeptProcess>& calls)> found_background;
  /// Those have ended that the supervisor has left to it.
  std::function<void()> after_background;
  Judge* judge = nullptr;  ///< Bounds what goes on in the background; borrowed.
};

/// What a guardian has to do if the supervisor dies, or leaves the lane to it.
struct Duty {
  std::string run_id;
  RunTraits traits;
  KeepList keep;
  std::chrono::milliseconds kill_timeout{10'000};
  BackgroundDuty background;  ///< Lane calls that go on in the background.
  LaneDuty lane;
};

/// A helper process that outlives a killed supervisor.
///
/// It lives in a session of its own, so that a signal to the caller's group misses it, has
/// none of the caller's descriptors and all signals blocked. It sleeps in a read of a
/// pipe: "settled" ends it, "watch" makes it keep the lane for what goes on in the background,
/// end of file without a word means that the supervisor crashed. It knows the run's members by the
/// run id in their environment and by what the supervisor published last.
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
  void publish(std::span<const sys::ProcessId> members) noexcept;
  /// Tells it that the run has been settled.
  void settled() noexcept;
  /// Makes it drop, soon, the signals pending in it: one that comes later is seen to be new.
  void forget_signals() const noexcept;
  /// Leaves the lane to it until the lane calls below those published last have ended. False when
  /// it is not there to hear that. It outlives us then, and is ours no more.
  [[nodiscard]] bool keep_watch() noexcept;
  /// Reaps it after settled(); blocks for its exit.
  void reap() noexcept;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void forget() noexcept { pid_ = -1; }

  static constexpr std::size_t kMostPublished = 2048;

 private:
  struct Board;
  template <class Members, class IdOf>
  void put(const Members& members, const IdOf& id_of) noexcept;
  [[noreturn]] void watch(const Duty& duty, int pipe) noexcept;
  static void keep_lane(const Duty& duty, const std::vector<sys::ProcessId>& roots);

  pid_t pid_ = -1;
  sys::FileDescriptor pipe_;
  Board* board_ = nullptr;  ///< Shared memory, ours and the guardian's.
};

}  // namespace onelane::process
