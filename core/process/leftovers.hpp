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

/// The keep list, handed in: true for a daemon that is never ended. `name` is its name in
/// /proc or the base name of argv[0] (both are asked for), `arguments` those after argv[0].
using KeepList =
    std::function<bool(std::string_view name, std::span<const std::string_view> arguments)>;

/// What sorting needs to know of a run; trivially copyable, so that the lane's record can
/// carry it to whoever has to sort after a crash.
struct RunTraits {
  struct File {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
  };
  std::array<File, 3> stdio{};  ///< The caller's fds 0 to 2; zero for closed.
  std::int32_t session = 0;
  std::uint32_t ignored_hangup = 0;  ///< The tool was started with SIGHUP ignored (nohup).
  /// The run did not come to its own end, so what it had in the foreground is among what is left.
  std::uint32_t was_cut_short = 0;
};

/// Reads the traits off the calling process, before it gives its descriptors up.
[[nodiscard]] RunTraits traits_of_self(const Signals& signals) noexcept;

/// What a process that a run left behind is.
enum class Leftover {
  Gone,       ///< Ended meanwhile, or a zombie.
  Listed,     ///< Kept: on the keep list.
  Detached,   ///< Kept: left running on purpose (no stdio of the run, no hang-up, a display).
  Elsewhere,  ///< Kept: in a session with a terminal of its own (tmux, ssh).
  Straggler,  ///< Everything else: to be ended.
};

/// The one sort function of settle, guardian, sweep and orphans. Reads /proc; a process of
/// another user, whose descriptors cannot be read, is a straggler unless listed.
[[nodiscard]] Leftover sort_leftover(const sys::ProcessStat& stat, const RunTraits& traits,
                                     const KeepList& keep);

/// Finds the living members of a run after its supervisor is gone: processes whose initial
/// environment carries the run id, those published by the supervisor, and all their
/// descendants; without the descendants of kept ones. `known` is never among them.
/// What may_signal.hpp spares is left out, too.
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

}  // namespace onelane::process
