#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "core/sys/file_descriptor.hpp"
#include "multicall/view/find_ticket.hpp"
#include "multicall/view/run_view.hpp"

namespace onelane::multicall {

/// Sleeps until something may have changed about the runs of `lanes`: the lane, the journal, their
/// logs (also in a log directory that does not exist yet), or the end of one supervisor. Does not
/// poll, but looks once a second if the kernel gives no inotify instance.
class Changes {
 public:
  Changes(const LanesHere& lanes, std::string log_directory);

  /// From now on the end of this process wakes us, too.
  void follow(const sys::ProcessId& supervisor);
  /// False while a followed supervisor lives.
  [[nodiscard]] bool has_ended() const noexcept { return !pidfd_.is_open(); }

  /// Blocks for `limit` at most. False once standard output has no reader any more.
  [[nodiscard]] bool wait(std::chrono::milliseconds limit);

 private:
  void add_watches();

  std::string state_directory_;
  std::string log_directory_;
  sys::FileDescriptor watch_;
  sys::FileDescriptor pidfd_;
  sys::ProcessId supervisor_;
};

/// True when the calling process is a part of that live run: it would wait for itself.
[[nodiscard]] bool is_inside(const RunView& run);

/// Follows one run from now to its end.
class RunFollower {
 public:
  RunFollower(const LanesHere& lanes, RunView run, std::string log_directory);

  /// What is known now: from its ticket while it lives.
  [[nodiscard]] const RunView& run() const noexcept { return run_; }
  [[nodiscard]] bool has_started() const noexcept { return has_started_; }
  /// Looks again. True when the run is over; run() is then its record, if there is one. Blocks for
  /// the record as record_of_ended() does.
  [[nodiscard]] bool look();
  [[nodiscard]] bool has_record() const noexcept { return !run_.live; }
  /// As Changes::wait.
  [[nodiscard]] bool wait();

 private:
  [[nodiscard]] std::optional<RunView> find_live() const;

  const LanesHere& lanes_;
  RunView run_;
  Changes changes_;
  bool has_started_ = false;
  std::optional<Found> found_;  ///< Its ticket as it was seen last.
};

}  // namespace onelane::multicall
