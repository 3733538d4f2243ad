#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/process/may_signal.hpp"
#include "core/process/signals.hpp"
#include "core/sys/process.hpp"

namespace onelane::process {

/// The keep list: returns true for a daemon that is never ended. `name` is its name in /proc or the
/// base name of argv[0] (called with both), `arguments` those after argv[0].
using KeepList =
    std::function<bool(std::string_view name, std::span<const std::string_view> arguments)>;

/// What sorting needs to know about a run; trivially copyable, so that the lane's record can carry
/// it to the process that clears away after a crash.
struct RunTraits {
  struct File {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  std::array<File, 3> stdio{};  ///< The caller's fds 0 to 2; zero for closed.
  std::int32_t session = 0;
  std::uint32_t ignored_hangup = 0;  ///< The tool was started with SIGHUP ignored (nohup).
  /// The run was cut short, so processes it had in the foreground may be among the leftovers.
  std::uint32_t was_cut_short = 0;
};

/// Reads the traits of the calling process, before it closes its descriptors.
[[nodiscard]] RunTraits traits_of_self(const Signals& signals) noexcept;

/// Kinds of processes that a run leaves behind, in the order in which they are spared.
enum class Leftover {
  Gone,        ///< Ended meanwhile, or a zombie.
  Elsewhere,   ///< In a session with a terminal of its own (tmux, ssh).
  Listed,      ///< On the keep list.
  Detached,    ///< On purpose: has left the run's session, and holds none of its stdio.
  Background,  ///< On purpose, in the run's session: ignores SIGHUP, or has a window.
  Loose,       ///< Holds none of the run's stdio, which by itself does not show purpose.
  Straggler,   ///< Everything else.
};

/// Why processes are being sorted.
enum class Occasion {
  RunEnd,      ///< A run has ended, or its supervisor was killed.
  Orphans,     ///< The leftovers of ended runs are looked for.
  Stop,        ///< The run was ordered to stop: its tree and its session must go.
  Everything,  ///< Nothing of the project may be left running.
};

/// True for processes that live on: the one rule of settle, guardian, sweep, orphans and stop.
[[nodiscard]] constexpr bool is_spared(Leftover leftover, Occasion occasion) noexcept {
  switch (occasion) {
    case Occasion::RunEnd:
      return leftover <= Leftover::Loose;
    case Occasion::Orphans:
      return leftover <= Leftover::Background;
    case Occasion::Stop:
      return leftover <= Leftover::Detached;
    case Occasion::Everything:
      return leftover <= Leftover::Elsewhere;
  }
  return true;
}

/// A process that lives on.
struct KeptProcess {
  sys::ProcessId id;
  std::string command;
  Leftover sorted = Leftover::Detached;
  bool is_background = false;  ///< It is a lane call or has one below it, which keeps the lane.
};

/// Sorts one process; the one function for settle, guardian, sweep and orphans. Reads /proc; a
/// process of another user, whose descriptors cannot be read, is a straggler unless listed.
[[nodiscard]] Leftover sort_leftover(const sys::ProcessStat& stat, const RunTraits& traits,
                                     const KeepList& keep);

/// Finds the living members of a run after its supervisor is gone: processes whose initial
/// environment carries the run id, those published by the supervisor, and all their descendants,
/// except the descendants of kept ones. Leaves out `known` and processes that may_signal.hpp
/// spares.
struct Search {
  std::string run_id;
  std::vector<sys::ProcessId> published;
  std::vector<sys::ProcessId> known;
  std::optional<uid_t> uid;  ///< Target::uid.
  SignalRules rules;
};
[[nodiscard]] std::vector<sys::ProcessStat> find_members(const Search& search,
                                                         const RunTraits& traits,
                                                         const KeepList& keep);

/// The same search for the kept processes, without their descendants.
[[nodiscard]] std::vector<KeptProcess> find_kept(const Search& search, const RunTraits& traits,
                                                 const KeepList& keep);

}  // namespace onelane::process
