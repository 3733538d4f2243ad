#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/guard/limits.hpp"
#include "core/journal/record.hpp"
#include "core/sys/file_descriptor.hpp"
#include "core/sys/memory.hpp"
#include "multicall/context/lanes_here.hpp"
#include "multicall/view/lane_view.hpp"

namespace onelane::multicall::monitor {

/// One lane of the project at one moment.
struct LaneLook {
  std::string name;       ///< "main", or "git" for git's own with `lanes = "split"`.
  std::string directory;  ///< Where its file is.
  LaneView view;
};

/// One process of a run. Its command may hold text that a caller chose.
struct ProcessLook {
  sys::ProcessId id;
  pid_t parent = 0;
  int depth = 0;  ///< The tool has 0.
  char state = '?';
  std::uint64_t bytes = 0;  ///< Anonymous, shared and swapped memory.
  double cpu = 0;           ///< Percent of one processor, since the previous look or its start.
  std::chrono::nanoseconds age{};
  std::string command;
};

/// Everything the monitor shows, at one moment.
struct Look {
  std::string project;
  std::vector<LaneLook> lanes;
  std::vector<ProcessLook> processes;        ///< Of the holders, parents before children.
  std::vector<std::uint64_t> run_curve;      ///< Bytes of all of them, oldest first.
  std::vector<std::uint64_t> machine_curve;  ///< Bytes in use.
  guard::Limits limits;                      ///< Of the first holder's run; only sizes.
  sys::MachineMemory machine;
  double load = 0;
  unsigned processors = 1;
  std::optional<double> pressure;
  std::vector<journal::Record> recent;  ///< Newest first.
  std::int64_t at_wall = 0;             ///< Seconds since the epoch.
  std::string trouble;                  ///< Why the lane cannot be read; empty when it can.

  [[nodiscard]] const LaneLook* lane_of(std::string_view ticket) const;
  [[nodiscard]] const TicketView* find(std::string_view ticket) const;
  [[nodiscard]] bool has_holder() const;
};

/// How long runs usually take, for callers that ask repeatedly. Reading the journal costs most of
/// all, so it happens only after the journal changed, and at most every 30 s.
class FreshUsual {
 public:
  explicit FreshUsual(std::string directory);
  void journal_has_changed() noexcept { is_old_ = true; }
  /// Valid until the next call.
  [[nodiscard]] journal::Usual* get();

 private:
  std::string directory_;
  journal::Usual usual_;
  std::chrono::nanoseconds since_;
  bool is_old_ = false;
};

/// Opens the lanes again and looks at each; never waits for a run. Throws SystemError when one
/// cannot be read. `usual` may be null.
[[nodiscard]] std::vector<LaneLook> look_at_lanes(const LanesHere& lanes, journal::Usual* usual);

/// Looks repeatedly at one project's lanes, the processes of their holders, the machine and the
/// journal, and keeps what rates and curves need. What did not change is not read again: command
/// lines, the journal, how long runs usually take.
///
/// For one thread. Blocks only to read /proc and the journal's files. Throws nothing but
/// std::bad_alloc: a lane that cannot be read becomes Look::trouble.
class Looker {
 public:
  /// `lanes` must outlive it.
  explicit Looker(const LanesHere& lanes);
  [[nodiscard]] Look take();

 private:
  struct Seen {
    sys::ProcessId id;
    std::uint64_t ticks = 0;
    std::chrono::nanoseconds at{};
    std::string name;  ///< Changes with exec, as the command line does.
    std::string command;
    unsigned round = 0;
  };
  void read_processes(Look& look);
  [[nodiscard]] ProcessLook process_of(const ProcessView& view);
  void read_limits(Look& look);
  void read_machine(Look& look);
  void read_journal();

  const LanesHere& lanes_;
  FreshUsual usual_;
  std::vector<journal::Record> recent_;
  std::uint64_t journal_mark_ = 0;  ///< Changes with the journal.
  std::unordered_map<pid_t, Seen> seen_;
  unsigned round_ = 0;
  std::chrono::nanoseconds now_{};
  std::string limits_of_;  ///< The run for which they were read.
  guard::Limits limits_;
  std::string curve_of_;
  std::vector<std::uint64_t> run_curve_;
  std::vector<std::uint64_t> machine_curve_;
};

/// Reports that a lane has changed, without polling: inotify(7) for what is written to lane,
/// journal and run logs, pidfds for tickets whose owner is killed and writes nothing.
class Wakes {
 public:
  explicit Wakes(const LanesHere& lanes);

  /// Watches the directories that exist by now.
  void watch_directories();
  /// The same, and from now on the owners of these tickets.
  void follow(const std::vector<LaneLook>& lanes);
  /// Descriptors that become readable when it is time to look again, inotify's first.
  [[nodiscard]] std::vector<int> fds() const;
  /// Call this before that look.
  void drain();
  /// False when something must be polled by the clock: no inotify, a ticket of another PID
  /// namespace, whose owner we cannot watch, or one whose owner is dead.
  [[nodiscard]] bool sees_everything() const noexcept { return sees_everything_; }

 private:
  void watch_owner(const TicketView& ticket, std::map<pid_t, sys::FileDescriptor>& owners);

  std::vector<std::string> directories_;
  sys::FileDescriptor inotify_;
  std::map<pid_t, sys::FileDescriptor> owners_;
  bool sees_everything_ = true;
};

}  // namespace onelane::multicall::monitor
