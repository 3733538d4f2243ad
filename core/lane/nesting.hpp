#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/lane/table.hpp"
#include "core/sys/process.hpp"

namespace onelane::lane {

/// How a caller relates to the run that holds the lane.
enum class Relation {
  Outside,       ///< Queues like any other call.
  BelowHolder,   ///< A nested call: must never wait for its own holder.
  BelowService,  ///< Started by a live service of this lane.
  /// The holder lives in another PID namespace, or may be among ancestors that /proc hides, and we
  /// do not carry its token.
  Unprovable,
};

/// Decides by ancestry first: whether the holder's supervisor is among the caller's ancestors (pid
/// and start time), which survives `env -i`, tox and sudo. `held` (ONELANE_HELD, may be empty)
/// decides only between PID namespaces, where pids mean nothing, and where /proc hides the
/// ancestors that could tell. A token of an ended run, or one carried by a process that is no
/// longer below the run, proves nothing. The ancestors are read only when a run has the lane.
///
/// When the tool has ended and the run holds the lane for lane calls in the background, one of
/// those must be an ancestor of the caller, or the caller itself. They are recorded in the lane
/// file, and `is_lane_call` recognises them by their environment. May be empty.
using IsLaneCall = std::function<bool(const sys::ProcessId& id, std::string_view run_id)>;
[[nodiscard]] Relation relation_to_lane(const Table& table, std::string_view held,
                                        const IsLaneCall& is_lane_call = {});

/// True when the visible ancestors, which do not include `supervisor`, prove that it is not among
/// the ancestors that /proc hides from an ordinary user either (proc(5), hidepid): all are visible,
/// or one is older than it. Start times must be from one clock.
[[nodiscard]] bool rules_out(const sys::Ancestry& ancestry,
                             const sys::ProcessId& supervisor) noexcept;

/// The lane file that `pid` holds open as a supervisor, guardian or waiting call; nullopt when it
/// is none of these or may not be inspected.
[[nodiscard]] std::optional<std::string> lane_file_of(pid_t pid);

/// The runs of other lanes above the calling process, nearest first. Found through the lane file
/// that every supervisor keeps open at the first descriptor of ours, so a cleared environment hides
/// nothing.
[[nodiscard]] std::vector<Above> runs_above(std::string_view own_lane_file);

}  // namespace onelane::lane
