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

/// Process name shown by ps(1).
inline constexpr const char kGuardianName[] = "onelane-guard";

/// What a guardian does for the lane that its run holds. The functions run in the guardian, and may
/// be empty only without a lane.
struct LaneDuty {
  /// Descriptors that it keeps in addition to its own: the lane's, whose locks it shares.
  std::vector<int> descriptors;
  /// Called when the supervisor was killed and the run's stragglers have ended; `kept` lives on.
  /// Then the guardian exits, which releases the locks.
  std::function<void(const std::vector<KeptProcess>& kept)> after_crash;
  /// Called after a crash when `calls` are running in the background: the calling process keeps the
  /// lane for them.
  std::function<void(const std::vector<KeptProcess>& calls)> found_background;
  /// Called when the calls that the supervisor left to it have ended.
  std::function<void()> after_background;
  Judge* judge = nullptr;  ///< Limits the background processes; borrowed.
};

/// What a guardian has to do if the supervisor dies, or leaves the lane to it.
struct Duty {
  std::string run_id;
  RunTraits traits;
  KeepList keep;
  std::chrono::milliseconds kill_timeout{10'000};
  BackgroundDuty background;  ///< Lane calls that continue in the background.
  LaneDuty lane;
};

/// A helper process that outlives a killed supervisor.
///
/// It lives in a session of its own, so that a signal to the caller's group misses it, holds none
/// of the caller's descriptors and has all signals blocked. It sleeps in a read of a pipe:
/// "settled" ends it, "watch" makes it keep the lane for background calls, and end of file without
/// a message means that the supervisor crashed. It finds the run's members by the run id in their
/// environment and by the list that the supervisor published last.
class Guardian {
 public:
  Guardian() = default;
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;
  ~Guardian();

  /// Forks the guardian. The calling process must have one thread. Without a guardian (fork failed:
  /// pid() is -1, errno says why) the run goes on, with the lane's record as the only safety net.
  void start(const Duty& duty) noexcept;
  /// Shares the current members; cheap, lock-free, at most kMostPublished of them.
  void publish(std::span<const sys::ProcessStat> members) noexcept;
  void publish(std::span<const sys::ProcessId> members) noexcept;
  /// Tells it that the run has been settled.
  void settled() noexcept;
  /// Makes it drop, soon, the signals pending in it, so that a later one can be recognised as new.
  void forget_signals() const noexcept;
  /// Leaves the lane to it until the lane calls below the members published last have ended. False
  /// when the guardian is dead. Afterwards it outlives us and is no longer ours to reap.
  [[nodiscard]] bool keep_watch() noexcept;
  /// Reaps it after settled(); blocks until it exits.
  void reap() noexcept;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void forget() noexcept { pid_ = -1; }

  static constexpr std::size_t kMostPublished = 2048;

 private:
  struct Board;
  [[nodiscard]] bool make_board() noexcept;
  template <class Members, class IdOf>
  void put(const Members& members, const IdOf& id_of) noexcept;
  [[noreturn]] void watch(const Duty& duty, int pipe) noexcept;
  static void keep_lane(const Duty& duty, const std::vector<sys::ProcessId>& roots);

  pid_t pid_ = -1;
  sys::FileDescriptor pipe_;
  Board* board_ = nullptr;  ///< Memory shared with the guardian; mapped when one is started.
};

}  // namespace onelane::process
