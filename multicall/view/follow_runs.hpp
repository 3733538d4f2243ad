#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// One line of a run's log, printable.
struct LogLine {
  std::string run_id;
  std::string time;  ///< "2026-11-21T12:00:00.123Z"; that of the previous line if it has none.
  std::string text;  ///< The whole line.
};

/// Reads the log of a run, the rotated file first, and then whatever is added. The log may not
/// exist yet. Symbolic links and anything but a regular file are not opened.
class LogTail {
 public:
  /// `ending` is ".log", or ".out" for the output of a detached run.
  LogTail(std::string directory, std::string run_id, std::string ending = ".log")
      : directory_{std::move(directory)}, run_id_{std::move(run_id)}, ending_{std::move(ending)} {}

  /// The lines added since the last call; never blocks. Of a longer log, only the last 16 MiB.
  [[nodiscard]] std::vector<LogLine> next();
  /// The text after the last newline: torn, or not complete yet.
  [[nodiscard]] std::vector<LogLine> rest();
  /// Closes the descriptor; next() continues where it stopped.
  void close() noexcept { file_.reset(); }
  [[nodiscard]] bool is_open() const noexcept { return file_.is_open(); }
  [[nodiscard]] const std::string& run_id() const noexcept { return run_id_; }

 private:
  [[nodiscard]] sys::FileDescriptor open(const std::string& ending) const;
  void read_all(int fd, std::vector<LogLine>& out);
  void add(std::string_view line, std::vector<LogLine>& out);

  std::string directory_;
  std::string run_id_;
  std::string ending_;
  sys::FileDescriptor file_;
  ino_t inode_ = 0;
  off_t at_ = 0;
  bool has_begun_ = false;
  std::string carry_;
  std::string time_;
};

/// A line's time in milliseconds since the epoch; empty if it has another form.
[[nodiscard]] std::optional<std::int64_t> wall_ms_of(std::string_view time);

}  // namespace onelane::multicall
